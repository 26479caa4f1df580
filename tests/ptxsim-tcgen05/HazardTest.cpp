//===- HazardTest.cpp - the smallest kernels with a tcgen05 hazard, and their correct twins
//----------===//
//
// T1 to T12, D5 and X1 (docs/simulator.md). The faulty kernel traps with the id under every
// schedule, the twin runs through under every schedule.
//
//===----------------------------------------------------------------------===//
#include "Harness.h"

#include "ptxsim/engine/InstructionDescriptor.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {

// ---- pieces of a kernel of 128 threads; thread 0 issues (%p2), warp 0 allocates (%p1)

/// Allocation, an mbarrier, a zeroed tile of 16 KiB, descriptors of A (%d1) and B (%d2): K-major,
/// no swizzle; %r10: F16, 128 x 64; %p3 is false, %p4 true; %lane: the warp's lanes.
std::string prologue(unsigned columns = 128, const char *fence = "fence.proxy.async;") {
  std::string text = fmt::format(R"(
  .shared .b32 slot, slot2; .shared .align 8 .b64 bar, bar2; .shared .align 1024 .b8 tile[16384];
  setp.lt.u32 %p1, %tid_x, 32; setp.eq.u32 %p2, %tid_x, 0;
  setp.ne.u32 %p3, %tid_x, %tid_x; setp.eq.u32 %p4, %tid_x, %tid_x;
  @%p1 tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [slot], {};
  @%p2 mbarrier.init.shared::cta.b64 [bar], 1; @%p2 mbarrier.init.shared::cta.b64 [bar2], 128;
  fence.mbarrier_init.release.cluster;
  mov.u32 %r1, tile; mad.lo.u32 %r1, %tid_x, 16, %r1; mov.u32 %r2, 0;
)",
                                 columns);
  for (unsigned i = 0; i < 8; ++i)
    text += fmt::format("  st.shared.v4.b32 [%r1+{}], {{%r2, %r2, %r2, %r2}};\n", 2048 * i);
  InstructionDescriptor d;
  d.m = 128;
  d.n = 64;
  text += fmt::format(R"(  {}
  bar.sync 0; ld.shared.b32 %taddr, [slot];
  and.b32 %lane, %tid_x, 96; shl.b32 %lane, %lane, 16; add.u32 %lane, %lane, %taddr;
  mov.u32 %r1, tile; shr.u32 %r1, %r1, 4; cvt.u64.u32 %d1, %r1; add.u64 %d1, %d1, {};
  add.u64 %d2, %d1, 512; mov.u32 %r10, {}; mov.u32 %r20, 0;
)",
                      fence, 1ull << 46 | 8ull << 32 | 128ull << 16, d.encode(MmaKind::F16));
  return text;
}
std::string mma(const char *to = "%taddr", const char *more = "%d1, %d2, %r10, %p3",
                const char *guard = "@%p2") {
  return fmt::format("  {} tcgen05.mma.cta_group::1.kind::f16 [{}], {};\n", guard, to, more);
}
std::string commit(const char *guard = "@%p2") {
  return fmt::format("  {} tcgen05.commit.cta_group::1.mbarrier::arrive::one.shared::cluster.b64 "
                     "[bar];\n",
                     guard);
}
std::string waitFor(unsigned parity = 0) {
  return fmt::format("wait{0}:\n  mbarrier.try_wait.parity.shared::cta.b64 %p5, [bar], {0}; "
                     "@!%p5 bra wait{0};\n",
                     parity);
}
/// A load by each warp into %r20 that is used.
std::string load(const char *from = "%lane", const char *after = "tcgen05.wait::ld.sync.aligned;") {
  return fmt::format("  tcgen05.ld.sync.aligned.32x32b.x1.b32 {{%r20}}, [{}]; {}\n", from, after);
}
std::string store(const char *to = "%lane", const char *after = "tcgen05.wait::st.sync.aligned;") {
  return fmt::format("  tcgen05.st.sync.aligned.32x32b.x1.b32 [{}], {{%r20}}; {}\n", to, after);
}
const std::string barrier = "  bar.sync 0;\n";
const std::string useLoaded =
    "  mul.wide.u32 %d5, %tid_x, 4; add.u64 %d5, %buf, %d5; st.global.b32 [%d5], %r20;\n";
std::string epilogue(unsigned columns = 128) {
  return fmt::format("  bar.sync 0;\n  @%p1 tcgen05.dealloc.cta_group::1.sync.aligned.b32 %taddr, "
                     "{};\n",
                     columns);
}
/// A product that everybody has waited for.
const std::string computed = mma() + commit() + waitFor();
/// Eight columns of cells from column `from` on, written by all warps.
std::string storeEight(unsigned from, const char *after = "tcgen05.wait::st.sync.aligned;") {
  return fmt::format("  tcgen05.st.sync.aligned.32x32b.x8.b32 [%lane+{}], {{%r20, %r20, %r20, %r20,"
                     " %r20, %r20, %r20, %r20}}; {}\n",
                     from, after);
}
/// mxf8f6f4, 128 x 32: scale factors at columns 64 and 72.
std::string scaledMma() {
  InstructionDescriptor d;
  d.a = d.b = MmaType::E4M3;
  d.m = 128;
  d.n = 32;
  return fmt::format("  mov.u32 %r11, {}; @%p2 tcgen05.mma.cta_group::1.kind::mxf8f6f4.block_scale "
                     "[%taddr], %d1, %d2, %r11, [%taddr+64], [%taddr+72], %p3;\n",
                     d.encode(MmaKind::Mxf8f6f4));
}
/// The descriptor of a product with other sizes, in %r12.
std::string otherShape(int n) {
  InstructionDescriptor d;
  d.m = 128;
  d.n = n;
  return fmt::format("  mov.u32 %r12, {};\n", d.encode(MmaKind::F16));
}

struct Pair {
  const char *name, *id;
  std::string faulty, correct;
  unsigned clusters = 1;
};

const std::string pairPrologue = R"(
  .shared .b32 slot; .reg .b32 %rank;
  mov.u32 %rank, %cluster_ctarank; setp.lt.u32 %p1, %tid_x, 32;
)";
const std::string pairAlloc =
    "  @%p1 tcgen05.alloc.cta_group::2.sync.aligned.shared::cta.b32 [slot], 64;\n"
    "  bar.sync 0; ld.shared.b32 %taddr, [slot];\n";
const std::string pairFree = "  @%p1 tcgen05.dealloc.cta_group::2.sync.aligned.b32 %taddr, 64;\n";
const std::string clusterBarrier = "  barrier.cluster.arrive; barrier.cluster.wait;\n";

const std::string fenceBefore = "  tcgen05.fence::before_thread_sync;\n",
                  fenceAfter = "  tcgen05.fence::after_thread_sync;\n";

std::vector<Pair> makePairs() {
  std::vector<Pair> all;
  auto add = [&](const char *name, const char *id, std::string faulty, std::string correct,
                 unsigned clusters = 1) {
    all.push_back({name, id, std::move(faulty), std::move(correct), clusters});
  };
  const std::string clean = prologue() + computed + load() + useLoaded + epilogue();

  // ---- T1, T2, T3: allocation
  add("load beyond the allocation", "T1", prologue(64) + store("%lane+64") + epilogue(64),
      prologue(64) + store("%lane+63") + epilogue(64));
  add("D beyond the allocation", "T1", prologue(64) + mma("%taddr+8") + epilogue(64),
      prologue(64) + computed + epilogue(64));
  add("columns that were never allocated", "T1", prologue(32) + store("%lane+256") + epilogue(32),
      prologue(32) + store() + epilogue(32));
  add("use after dealloc", "T2", prologue() + epilogue() + barrier + store(),
      prologue() + store() + epilogue());
  add("dealloc with a product in flight", "T2", prologue() + mma() + epilogue(),
      prologue() + computed + epilogue());
  add("dealloc with a load of another warp", "T2",
      prologue() + computed +
          "  @%p1 tcgen05.dealloc.cta_group::1.sync.aligned.b32 %taddr, 128; setp.gt.u32 %p6, "
          "%tid_x, 4096;\n  @%p6 bra never;\n" +
          load() + "never:\n",
      clean);
  add("leak", "T2", prologue() + computed, prologue() + computed + epilogue());
  add("two deallocs", "T2",
      prologue() + epilogue() +
          "  @%p1 tcgen05.dealloc.cta_group::1.sync.aligned.b32 %taddr, 128;\n",
      prologue() + epilogue());
  add("dealloc of another size", "T2", prologue(128) + epilogue(64), prologue(64) + epilogue(64));
  add("a size that is no power of two", "T3",
      "  .shared .b32 slot; mov.u32 %r1, 48;\n"
      "  tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [slot], %r1;\n",
      "  .shared .b32 slot; mov.u32 %r1, 64; setp.lt.u32 %p1, %tid_x, 32; @!%p1 bra end;\n"
      "  tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [slot], %r1;\n"
      "  ld.shared.b32 %taddr, [slot];\n"
      "  tcgen05.dealloc.cta_group::1.sync.aligned.b32 %taddr, %r1;\nend:\n");
  const std::string second =
      "  @%p1 tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [slot2], {};\n"
      "  bar.sync 0; ld.shared.b32 %r30, [slot2];\n"
      "  @%p1 tcgen05.dealloc.cta_group::1.sync.aligned.b32 %r30, {};\n";
  add("sizes that grow", "T3",
      prologue(64) + fmt::format(fmt::runtime(second), 128, 128) + epilogue(64),
      prologue(64) + fmt::format(fmt::runtime(second), 64, 64) + epilogue(64));
  const std::string relinquish =
      "  @%p1 tcgen05.relinquish_alloc_permit.cta_group::1.sync.aligned;\n";
  add("alloc after relinquish", "T3",
      prologue(64) + relinquish + fmt::format(fmt::runtime(second), 32, 32) + epilogue(64),
      prologue(64) + fmt::format(fmt::runtime(second), 32, 32) + relinquish + epilogue(64));

  // ---- T4: never written
  add("accumulation on nothing", "T4",
      prologue() + mma("%taddr", "%d1, %d2, %r10, %p4") + commit() + waitFor() + epilogue(),
      prologue() + mma() + mma("%taddr", "%d1, %d2, %r10, %p4") + commit() + waitFor() +
          epilogue());
  add("scale factors that nobody wrote", "T4",
      prologue() + scaledMma() + commit() + waitFor() + epilogue(),
      prologue() + storeEight(64) + storeEight(72) + barrier + scaledMma() + commit() + waitFor() +
          epilogue());
  add("A that nobody wrote", "T4",
      prologue() + mma("%taddr", "[%taddr+64], %d2, %r10, %p3") + commit() + waitFor() + epilogue(),
      prologue() + storeEight(64) + barrier + mma("%taddr", "[%taddr+64], %d2, %r10, %p3") +
          commit() + waitFor() + epilogue());
  add("use of what nobody wrote", "X4", prologue() + load() + useLoaded + epilogue(), clean);

  // ---- T5, T6: order
  add("result before the commit is waited for", "T5",
      prologue() + mma() + commit() + "  @!%p1 bra others;\n" + load() + useLoaded + "others:\n" +
          waitFor() + epilogue(),
      clean);
  add("result behind a barrier only", "T5",
      prologue() + mma() + barrier + load() + useLoaded + commit() + waitFor() + epilogue(), clean);
  add("result without after_thread_sync where fences are used", "T5",
      prologue() + computed + load() + fenceAfter + load("%lane+1") + useLoaded + epilogue(),
      prologue() + computed + fenceAfter + load() + load("%lane+1") + useLoaded + epilogue());
  add("A that is still being stored", "T6",
      prologue() + storeEight(64, "") + barrier + mma("%taddr", "[%taddr+64], %d2, %r10, %p3") +
          "  tcgen05.wait::st.sync.aligned;\n" + commit() + waitFor() + epilogue(),
      prologue() + storeEight(64) + barrier + mma("%taddr", "[%taddr+64], %d2, %r10, %p3") +
          commit() + waitFor() + epilogue());
  add("A of other warps without a barrier", "T6",
      prologue() + storeEight(64) + mma("%taddr", "[%taddr+64], %d2, %r10, %p3") + commit() +
          waitFor() + epilogue(),
      prologue() + storeEight(64) + barrier + mma("%taddr", "[%taddr+64], %d2, %r10, %p3") +
          commit() + waitFor() + epilogue());
  add("D over a load that is not waited for", "T6",
      prologue() + computed + load("%lane", "") + barrier + mma() + commit() + waitFor(1) +
          "  tcgen05.wait::ld.sync.aligned;\n" + epilogue(),
      prologue() + computed + load() + barrier + mma() + commit() + waitFor(1) + epilogue());
  // Without any wait::ld in the kernel, the use of the registers is taken for one.
  add("D over a load that was used and not waited for", "T6",
      prologue() + computed + load("%lane", "") + useLoaded + barrier + mma() + commit() +
          waitFor(1) + "  tcgen05.wait::ld.sync.aligned;\n" + epilogue(),
      prologue() + computed + load("%lane", "") + useLoaded + barrier + mma() + commit() +
          waitFor(1) + epilogue());
  add("a store and a load of one warp", "T6",
      prologue() + store("%lane", "") + load() + useLoaded + "  tcgen05.wait::st.sync.aligned;\n" +
          epilogue(),
      prologue() + store() + load() + useLoaded + epilogue());
  add("two shapes on one accumulator", "T6",
      prologue() + otherShape(32) + mma() + mma("%taddr", "%d1, %d2, %r12, %p4") + commit() +
          waitFor() + epilogue(),
      prologue() + otherShape(32) + computed + barrier + mma("%taddr", "%d1, %d2, %r12, %p4") +
          commit() + waitFor(1) + epilogue());
  add("a result as the A of the next product", "T6",
      prologue() + mma() + mma("%taddr+64", "[%taddr], %d2, %r10, %p3") + commit() + waitFor() +
          epilogue(),
      prologue() + computed + barrier + mma("%taddr+64", "[%taddr], %d2, %r10, %p3") + commit() +
          waitFor(1) + epilogue());
  add("no before_thread_sync where fences are used", "T6",
      prologue() + store("%lane+100") + fenceBefore + computed + fenceAfter + load() + useLoaded +
          barrier + fenceAfter + mma() + commit() + waitFor(1) + epilogue(),
      prologue() + store("%lane+100") + fenceBefore + computed + fenceAfter + load() + useLoaded +
          fenceBefore + barrier + fenceAfter + mma() + commit() + waitFor(1) + epilogue());

  // ---- T7: lanes
  add("lanes of another warp", "T7", prologue() + store("%taddr") + epilogue(),
      prologue() + store("%lane") + epilogue());
  add("a 16-lane shape at lane 8", "T7",
      prologue() +
          "  add.u32 %r5, %lane, 524288; tcgen05.st.sync.aligned.16x64b.x1.b32 [%r5], {%r20}; "
          "tcgen05.wait::st.sync.aligned;\n" +
          epilogue(),
      prologue() +
          "  add.u32 %r5, %lane, 1048576; tcgen05.st.sync.aligned.16x64b.x1.b32 [%r5], {%r20}; "
          "tcgen05.wait::st.sync.aligned;\n" +
          epilogue());
  add("D at lane 16 with M = 128", "T7",
      prologue() + "  add.u32 %r5, %taddr, 1048576;\n" + mma("%r5") + epilogue(), clean);

  // ---- T8: pairs
  const std::string pairClean =
      pairPrologue + clusterBarrier + pairAlloc + clusterBarrier + pairFree;
  add("cta_group::2 without a pair", "T8", pairPrologue + pairAlloc + pairFree, clean);
  add("the peer has ended", "T8",
      pairPrologue + "  setp.eq.u32 %p7, %rank, 1; @%p7 bra gone;\n" + clusterBarrier + pairAlloc +
          pairFree + "gone:\n",
      pairClean, 2);

  // ---- T9 to T12, D5, X1
  add("D overlaps A", "T9",
      prologue() + storeEight(56) + barrier + mma("%taddr", "[%taddr+56], %d2, %r10, %p3") +
          commit() + waitFor() + epilogue(),
      prologue() + storeEight(64) + barrier + mma("%taddr", "[%taddr+64], %d2, %r10, %p3") +
          commit() + waitFor() + epilogue());
  add("scale factors in one quarter of the lanes only", "T10",
      prologue() + "  @%p1 mov.u32 %r20, 2139062143;\n" + storeEight(64) + storeEight(72) +
          barrier + scaledMma() + commit() + waitFor() + epilogue(),
      prologue() + "  mov.u32 %r20, 2139062143;\n" + storeEight(64) + storeEight(72) + barrier +
          scaledMma() + commit() + waitFor() + epilogue());
  add("commit by another thread", "T11",
      prologue() + "  setp.eq.u32 %p6, %tid_x, 1;\n" + mma() + commit("@%p6") + waitFor() +
          epilogue(),
      prologue() + computed + epilogue());
  add("no elect", "T12",
      prologue() + mma("%taddr", "%d1, %d2, %r10, %p3", "@%p1") + commit() + waitFor() + epilogue(),
      prologue() + computed + epilogue());
  add("a reserved bit of the instruction descriptor", "D5",
      prologue() + "  or.b32 %r10, %r10, 64;\n" + computed + epilogue(),
      prologue() + computed + epilogue());
  add("addresses that differ between lanes", "X1",
      prologue() + "  add.u32 %r5, %lane, %tid_x;\n" + store("%r5") + epilogue(),
      prologue() + store() + epilogue());
  add("a load by half of a warp", "X1",
      prologue() + computed +
          "  and.b32 %r5, %tid_x, 16; setp.eq.u32 %p6, %r5, 0; @%p6 bra part; bra rest;\npart:\n" +
          load() + "rest:\n" + epilogue(),
      clean);
  add("operands that no proxy fence has published", "P1", prologue(128, "") + computed + epilogue(),
      prologue() + computed + epilogue());
  return all;
}

const std::vector<Pair> &pairs() {
  static const std::vector<Pair> all = makePairs();
  return all;
}

} // namespace

TEST_CASE("Each tcgen05 hazard traps, and its correct twin does not") {
  const auto index = GENERATE(range(size_t{0}, pairs().size()));
  const Pair &pair = pairs()[index];
  const unsigned clusters = pair.clusters;
  {
    PlainKernel faulty{"", pair.faulty, 128, clusters};
    INFO(pair.name << ", faulty: " << textOf(faulty));
    CHECK(idOf(faulty) == pair.id);
  }
  PlainKernel correct{"", pair.correct, 128, clusters};
  INFO(pair.name << ", correct: " << textOf(correct));
  CHECK(idOf(correct) == "");
}

TEST_CASE("An allocation that does not fit waits for a dealloc") {
  const std::string body = prologue(512) + R"(
  setp.ge.u32 %p6, %tid_x, 32; setp.lt.u32 %p7, %tid_x, 64; and.pred %p6, %p6, %p7;
  @!%p6 bra first;
  tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [slot2], 512;
  ld.shared.b32 %r30, [slot2];
  tcgen05.dealloc.cta_group::1.sync.aligned.b32 %r30, 512;
  bra end;
first:
  @%p1 tcgen05.dealloc.cta_group::1.sync.aligned.b32 %taddr, 512;
end:
)";
  CHECK(idOf({"", body, 128, 1}) == "");
}

TEST_CASE("One that nobody makes room for is a deadlock that says so") {
  const std::string body =
      prologue(512) +
      "  @%p1 tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [slot2], 32;\n"
      "  bar.sync 0;\n" +
      epilogue(512);
  CHECK_THAT(textOf({"", body, 128, 1}), Catch::Contains("free columns of tensor memory"));
}

TEST_CASE("Kernels with both CTA groups are refused") {
  const std::string body = prologue() + pairFree;
  TensorRun ran = run({"", body, 128, 1}, RunOptions());
  CHECK(ran.id == "refused");
  CHECK_THAT(ran.text, Catch::Contains("T8"));
}
