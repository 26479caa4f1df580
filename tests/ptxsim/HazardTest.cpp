// For each hazard of the copies, mbarriers and fences: the smallest kernel that has it, and its
// correct twin. The twin must be clean under every schedule, the faulty one must trap with the id.
// Hazards of wgmma and tcgen05 are tested beside those instructions.
#include "Harness.h"

#include <catch2/catch.hpp>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {

struct Pair {
  std::string id, name;
  /// {bad} and {good} alternatives: text between "<<" and "||" is the faulty kernel's, between "||"
  /// and ">>" the twin's.
  std::string body;
  uint32_t threads = 64, ctas = 1;
  std::string directives = {};
  /// Ids that some schedules find instead.
  std::vector<std::string> also = {};
};

std::string choose(const std::string &text, bool faulty) {
  std::string out;
  for (size_t at = 0;;) {
    size_t open = text.find("<<", at);
    out += text.substr(at, open == std::string::npos ? open : open - at);
    if (open == std::string::npos)
      return out;
    size_t middle = text.find("||", open), close = text.find(">>", middle);
    out += faulty ? text.substr(open + 2, middle - open - 2)
                  : text.substr(middle + 2, close - middle - 2);
    at = close + 2;
  }
}

TensorMap boxOf(uint64_t width, uint64_t height, uint32_t boxWidth, uint32_t boxHeight) {
  TensorMap map;
  map.type = TensorType::U32;
  map.rank = 2;
  map.dims = {width, height, 1, 1, 1};
  map.strides = {width * 4, 0, 0, 0};
  map.box = {boxWidth, boxHeight, 1, 1, 1};
  return map;
}

/// Buffers: 0 and 1 of 1,024 words. Maps: 0 of buffer 0 (32 x 32, box 32 x 8), 1 of buffer 1 alike,
/// 2 of buffer 0 but with 64 rows, beyond its end. `%p1`: thread 0. `ready`: an mbarrier for one
/// arrival that all threads may use.
Kernel kernelOf(const Pair &pair, bool faulty) {
  Kernel k;
  k.body =
      "setp.eq.u32 %p1, %tid_x, 0; shl.b32 %r60, %tid_x, 2; mov.u32 %r61, tile; "
      "add.u32 %r61, %r61, %r60; mov.u32 %r62, %cluster_ctarank; mad.wide.u32 %a0, %r62, 1024, "
      "%rd_1; add.s64 %a0, %a0, %off;\n" +
      choose(pair.body, faulty) + "\nret;";
  k.declarations = ".shared .align 1024 .b8 tile[2048]; .shared .align 8 .b64 bar[4]; "
                   ".shared .align 8 .b64 second;";
  k.buffers = {{"source", counting(1024)}, {"out", words(1024)}};
  k.maps = {{0, boxOf(32, 32, 32, 8)}, {1, boxOf(32, 32, 32, 8)}, {0, boxOf(32, 64, 32, 8)}};
  k.launch.block = {pair.threads, 1, 1};
  k.launch.grid = {pair.ctas, 1, 1};
  k.launch.cluster = {pair.ctas, 1, 1};
  k.directives = pair.directives;
  return k;
}

const std::string init = "@%p1 mbarrier.init.shared.b64 [bar], 1; @%p1 "
                         "fence.mbarrier_init.release.cluster; bar.sync 0;\n";
std::string wait(const std::string &label, int parity = 0) {
  return label + ": mbarrier.try_wait.parity.shared.b64 %p2, [bar], " + std::to_string(parity) +
         "; @!%p2 bra " + label + ";\n";
}
/// Thread 0 loads 128 bytes of the source into the tile.
std::string load(const std::string &bytes = "128", const std::string &expected = "128") {
  return "@%p1 mbarrier.arrive.expect_tx.shared.b64 _, [bar], " + expected +
         "; @%p1 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [tile], "
         "[%rd_0], " +
         bytes + ", [bar];\n";
}
const std::string store = "@%p1 cp.async.bulk.global.shared::cta.bulk_group [%rd_1], [tile], 128; "
                          "@%p1 cp.async.bulk.commit_group;\n";
const std::string drain = "@%p1 cp.async.bulk.wait_group.read 0;\n";
const std::string meet = "barrier.cluster.arrive; barrier.cluster.wait;\n";

const std::vector<Pair> pairs = {
    {"P1", "a bulk store of what threads wrote",
     "st.shared.u32 [%r61], %tid_x; <<||fence.proxy.async;>> bar.sync 0;" + store + drain},
    {"P1", "the fence comes before the stores",
     "<<fence.proxy.async;||>> st.shared.u32 [%r61], %tid_x; <<||fence.proxy.async;>> bar.sync 0;" +
         store + drain},
    {"P2", "tile read before it has landed",
     init + load() + "<<bar.sync 0;||" + wait("W0") +
         ">> ld.shared.u32 %r1, [tile+4]; "
         "st.global.u32 [%a0], %r1; <<" +
         wait("W1") + "||>>"},
    {"P2", "tile written while it lands",
     init + load() + "<<bar.sync 0;||" + wait("W0") + ">> @%p1 st.shared.u32 [tile+4], %r62; <<" +
         wait("W1") + "||>>"},
    {"P3",
     "a load over what other threads still read",
     init +
         "@%p1 st.shared.v4.u32 [tile], {%r62,%r62,%r62,%r62}; bar.sync 0; ld.shared.u32 %r1, "
         "[tile]; st.global.u32 [%a0], %r1; <<||bar.sync 0;>>" +
         load() + wait("W0"),
     64,
     1,
     "",
     {"P2"}},
    {"P3", "a load over one that is in flight",
     init + "@%p1 mbarrier.init.shared.b64 [second], 1; bar.sync 0;" + load() + "<<||" +
         wait("W0") +
         ">> @%p1 mbarrier.arrive.expect_tx.shared.b64 _, [second], 128; @%p1 "
         "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [tile], [%rd_0], 128, "
         "[second]; W8: mbarrier.try_wait.parity.shared.b64 %p2, [second], 0; @!%p2 bra W8;" +
         wait("W9")},
    {"P5", "neighbours' words without a barrier",
     "st.shared.u32 [%r61], %tid_x; bar.sync 0; st.shared.u32 [%r61], %r60; <<||bar.sync 0;>> "
     "xor.b32 %r1, %r60, 128; mov.u32 %r2, tile; add.u32 %r2, %r2, %r1; ld.shared.u32 %r3, [%r2]; "
     "st.global.u32 [%a0], %r3;"},
    {"P6", "an mbarrier read as data",
     init + "<<ld.shared.u32 %r1, [bar];||mov.u32 %r1, 0;>> st.global.u32 [%a0], %r1;"},
    {"P6", "a copy over an mbarrier",
     init + "@%p1 mbarrier.init.shared.b64 [<<tile+64||second>>], 1; bar.sync 0;" + load() +
         wait("W0")},
    {"P7", "a remote store read without its mbarrier",
     init + meet +
         "xor.b32 %r1, %r62, 1; mov.u32 %r2, tile; mapa.shared::cluster.u32 %r3, %r2, "
         "%r1; mov.u32 %r4, bar; mapa.shared::cluster.u32 %r5, %r4, %r1; @%p1 "
         "mbarrier.arrive.expect_tx.shared.b64 _, [bar], 4; @%p1 "
         "st.async.shared::cluster.mbarrier::complete_tx::bytes.u32 [%r3], %r62, [%r5];" +
         meet + "<<||" + wait("W0") + ">> ld.shared.u32 %r6, [tile]; st.global.u32 [%a0], %r6; <<" +
         wait("W1") + "||>>" + meet,
     64, 2},
    {"B1", "arrival without init", "<<||" + init + ">> @%p1 mbarrier.arrive.shared.b64 _, [bar];"},
    {"B1", "init that others do not know of",
     "@%p1 mbarrier.init.shared.b64 [bar], 64; <<||bar.sync 0;>> mbarrier.arrive.shared.b64 _, "
     "[bar];"},
    {"B1", "init over a live barrier",
     init + "<<||@%p1 mbarrier.inval.shared.b64 [bar];>> @%p1 mbarrier.init.shared.b64 [bar], 1;"},
    {"B1", "relaxed cluster barrier without fence.mbarrier_init",
     "@%p1 mbarrier.init.shared.b64 [bar], 1; <<||fence.mbarrier_init.release.cluster;>> "
     "barrier.cluster.arrive.relaxed; barrier.cluster.wait; xor.b32 %r1, %r62, 1; mov.u32 %r4, "
     "bar; "
     "mapa.shared::cluster.u32 %r5, %r4, %r1; @%p1 mbarrier.arrive.shared::cluster.b64 _, [%r5];" +
         meet,
     32, 2},
    {"B2", "more arrivals than pending",
     "@%p1 mbarrier.init.shared.b64 [bar], <<1||2>>; bar.sync 0; @%p1 "
     "mbarrier.arrive.expect_tx.shared.b64 _, [bar], 128; @%p1 mbarrier.arrive.shared.b64 _, "
     "[bar]; "
     "@%p1 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [tile], [%rd_0], 128, "
     "[bar];" +
         wait("W0")},
    {"B2", "a count of zero", "@%p1 mbarrier.init.shared.b64 [bar], <<0||1>>;"},
    {"B3", "more bytes expected than copied", init + load("128", "<<256||128>>") + wait("W0")},
    {"B3", "fewer bytes expected than copied", init + load("128", "<<64||128>>") + wait("W0")},
    {"B4", "two phases before the waiter looks",
     "@%p1 mbarrier.init.shared.b64 [bar], 1; bar.sync 0; setp.ge.u32 %p3, %tid_x, 32; @%p3 bra "
     "WAITER; @%p1 mbarrier.arrive.shared.b64 _, [bar]; <<@%p1 mbarrier.arrive.shared.b64 _, "
     "[bar];||>> bar.sync 1, 64; <<||bar.sync 2, 64; @%p1 mbarrier.arrive.shared.b64 _, [bar];>> "
     "bra "
     "END; WAITER: bar.sync 1, 64;" +
         wait("W0") + "<<||bar.sync 2, 64;>> END:"},
    {"B5", "a misaligned mbarrier", "@%p1 mbarrier.init.shared.b64 [bar+<<4||8>>], 1;"},
    {"B6", "a load that nobody waits for", init + load() + "<<||" + wait("W0") + ">>"},
    {"B6", "a remote store to a CTA that has ended",
     init + meet +
         "mov.u32 %r1, 0; mov.u32 %r2, tile; mapa.shared::cluster.u32 %r3, %r2, %r1; mov.u32 %r4, "
         "bar; mapa.shared::cluster.u32 %r5, %r4, %r1; setp.eq.u32 %p3, %r62, 1; and.pred %p4, "
         "%p3, "
         "%p1; not.pred %p5, %p3; and.pred %p6, %p5, %p1; @%p6 "
         "mbarrier.arrive.expect_tx.shared.b64 _, [bar], 4;" +
         meet +
         "@%p4 st.async.shared::cluster.mbarrier::complete_tx::bytes.u32 [%r3], %r62, [%r5]; "
         "<<||@%p3 bra MET;" +
         wait("W0") + "MET:" + meet + ">>",
     32, 2},
    {"M1", "a size that is no multiple of 16",
     init + "mov.u32 %r50, <<24||32>>;" + load("%r50", "%r50") + wait("W0")},
    {"M1", "no tensor map",
     init +
         "@%p1 mbarrier.arrive.expect_tx.shared.b64 _, [bar], 1024; @%p1 "
         "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [tile], "
         "[<<%rd_0||%map_0>>, {%r62, %r62}], [bar];" +
         wait("W0")},
    {"M1", "a store that starts outside",
     "mov.u32 %r1, <<-8||8>>; st.shared.u32 [%r61], %r1; fence.proxy.async; @%p1 mov.u32 %r2, 0; "
     "bar.sync 0; L: setp.lt.u32 %p4, %r60, 2048; @%p4 st.shared.u32 [%r61], %tid_x; add.u32 %r61, "
     "%r61, 256; add.u32 %r60, %r60, 256; @%p4 bra L; fence.proxy.async; bar.sync 0; @%p1 "
     "cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%map_1, {%r62, %r1}], [tile]; @%p1 "
     "cp.async.bulk.commit_group;" +
         drain,
     64, 1},
    {"M2", "a copy beyond shared memory",
     init +
         "@%p1 mbarrier.arrive.expect_tx.shared.b64 _, [bar], 128; @%p1 "
         "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [tile+<<2048||0>>], "
         "[%rd_0], 128, [bar];" +
         wait("W0")},
    {"M2", "a mask beyond the cluster",
     init + meet +
         "mov.u16 %h1, <<4||3>>; setp.eq.u32 %p3, %r62, 0; and.pred %p4, %p3, %p1; @%p1 "
         "mbarrier.arrive.expect_tx.shared.b64 _, [bar], 128;" +
         meet +
         "@%p4 "
         "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster "
         "[tile], [%rd_0], 128, [bar], %h1;" +
         wait("W0") + meet,
     32, 2},
    {"M3", "a source reused while it is read",
     "st.shared.u32 [%r61], %tid_x; fence.proxy.async; bar.sync 0;" + store + "<<||" + drain +
         ">> bar.sync 0; st.shared.u32 [%r61], %r60;" + drain},
    {"M3", "a copy that is never committed",
     "st.shared.u32 [%r61], %tid_x; fence.proxy.async; bar.sync 0; @%p1 "
     "cp.async.bulk.global.shared::cta.bulk_group [%rd_1], [tile], 128; <<||@%p1 "
     "cp.async.bulk.commit_group;>>" +
         drain},
    {"M4", "a map that is larger than its buffer",
     init +
         "mov.u32 %r1, 32; @%p1 mbarrier.arrive.expect_tx.shared.b64 _, [bar], 1024; @%p1 "
         "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [tile], "
         "[<<%map_2||%map_0>>, {%r62, %r1}], [bar];" +
         wait("W0")},
    {"X2", "an mbarrier at which nobody arrives",
     init + "<<||@%p1 mbarrier.arrive.shared.b64 _, [bar];>>" + wait("W0")},
    {"X3", "more registers than the others give back",
     "setp.ge.u32 %p3, %tid_x, 128; @%p3 bra MORE; setmaxnreg.dec.sync.aligned.u32 <<48||24>>; bra "
     "END; MORE: setmaxnreg.inc.sync.aligned.u32 104; END:",
     256, 1, ".maxnreg 64"},
};

struct Schedule {
  ScheduleKind kind;
  uint64_t seed;
};
const Schedule schedules[] = {{ScheduleKind::Eager, 0},  {ScheduleKind::Lazy, 0},
                              {ScheduleKind::Random, 1}, {ScheduleKind::Random, 2},
                              {ScheduleKind::Random, 3}, {ScheduleKind::Random, 4}};

} // namespace

TEST_CASE("Each hazard traps, its twin does not") {
  for (const Pair &pair : pairs)
    for (const Schedule &schedule : schedules) {
      INFO(pair.id << ": " << pair.name << ", schedule " << static_cast<int>(schedule.kind)
                   << " seed " << schedule.seed);
      Kernel bad = kernelOf(pair, true), good = kernelOf(pair, false);
      bad.options.schedule = good.options.schedule = schedule.kind;
      bad.options.seed = good.options.seed = schedule.seed;
      Ran ran = run(good);
      CHECK(ran.text() == "");
      ran = run(bad);
      INFO(ran.text());
      bool other = std::find(pair.also.begin(), pair.also.end(), ran.id()) != pair.also.end();
      CHECK((ran.id() == pair.id || other));
    }
}

TEST_CASE("A switched off check does not trap") {
  for (const Pair &pair : pairs) {
    // These are no judgements but things that cannot be done, or never end.
    if (pair.id == "M1" || pair.id == "M2" || pair.id == "M4" || pair.id == "X2" ||
        pair.id == "B2" || pair.id == "B3" || pair.id == "B4" || pair.id == "B5" ||
        pair.name == "arrival without init")
      continue;
    INFO(pair.id << ": " << pair.name);
    Kernel bad = kernelOf(pair, true);
    bad.options.disabledChecks = {pair.id};
    CHECK(run(bad).id() != pair.id);
  }
}
