// What ptxas 13.0 refuses is refused here too, with a sentence; what it takes is taken.
#include "Schedules.h"

#include "ptxsim/Parser.h"

#include <catch2/catch.hpp>

using namespace msa;
using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {
Status decode(const std::string &instruction) {
  auto module = parseModule(moduleText(asyncKernel(".reg .b128 %q1;" + instruction)), "test.ptx");
  if (!module)
    return module.status();
  return Executable::create(std::make_shared<Module>(std::move(*module)), "test.ptx").status();
}
const std::string bytes = ".mbarrier::complete_tx::bytes";
} // namespace

TEST_CASE("Forms that exist") {
  for (const std::string &text : {
           std::string("mbarrier.arrive.b64 _, [bar];"),
           std::string("mbarrier.arrive.relaxed.cta.b64 %d2, [%d1], 4;"),
           std::string("mbarrier.arrive.cluster.relaxed.shared::cluster.b64 _, [%r1], 4;"),
           std::string(
               "mbarrier.arrive_drop.noComplete.release.cta.shared::cta.b64 %d2, [%r1], 4;"),
           std::string("mbarrier.test_wait.relaxed.cluster.b64 %p1, [%d1], %d2;"),
           std::string("mbarrier.try_wait.parity.acquire.cluster.shared.b64 %p1, [%r1], 1, %r2;"),
           std::string("cp.async.mbarrier.arrive.noinc.b64 [%d1];"),
           "cp.async.bulk.shared::cluster.global" + bytes +
               ".L2::cache_hint.multicast::cluster [tile], [%d1], 128, [bar], %h1, %d5;",
           std::string("cp.async.bulk.global.shared::cta.bulk_group.L2::cache_hint.cp_mask [%d1], "
                       "[tile], %r1, %d4, %h1;"),
           std::string("cp.async.bulk.prefetch.L2.global.L2::cache_hint [%d1], %r1, %d4;"),
           std::string("cp.reduce.async.bulk.global.shared::cta.bulk_group.L2::cache_hint.min.s64 "
                       "[%d1], [%r1], %r2, %d4;"),
           std::string(
               "cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f64 [%d1], [%r1], %r2;"),
           "cp.reduce.async.bulk.shared::cluster.shared::cta" + bytes +
               ".add.u64 [%r1], [%r2], %r3, [%r4];",
           "st.async" + bytes + ".v4.f32 [%d1], {%f1, %f2, %f3, %f4}, [%d2];",
           "red.async.relaxed.cluster.shared::cluster" + bytes + ".add.s64 [%r1], %d1, [%r2];",
           std::string("multimem.ld_reduce.min.v4.bf16 {%h1, %h2, %h3, %h4}, [%d1];"),
           std::string("multimem.red.release.cta.global.add.v4.f32 [%d1], {%f1, %f2, %f3, %f4};"),
           std::string("multimem.st.weak.e5m2x4 [%d1], %r1;"),
           std::string("fence.acq_rel.cluster;"),
           std::string("membar.proxy.alias;"),
           std::string("clusterlaunchcontrol.try_cancel.async.mbarrier::complete_tx::bytes.b128 "
                       "[%d1], [%d2];"),
       }) {
    INFO(text);
    CHECK(decode(text).message() == "");
  }
}

TEST_CASE("Forms that do not exist") {
  for (const std::string &text : {
           std::string("mbarrier.arrive.cta.b64 _, [%d1];"),
           std::string("mbarrier.arrive.release.b64 _, [%d1];"),
           std::string("mbarrier.arrive.acquire.cta.b64 _, [%d1];"),
           std::string("mbarrier.arrive.gpu.b64 _, [%d1];"),
           std::string("mbarrier.arrive.shared::cluster.b64 %d2, [%r1];"),
           std::string("mbarrier.arrive.noComplete.shared::cluster.b64 _, [%r1], 1;"),
           std::string("mbarrier.arrive.noComplete.release.cluster.b64 _, [%d1], 1;"),
           std::string("mbarrier.arrive.shared.b64 _, [%r1], 0;"),
           std::string("mbarrier.init.shared::cluster.b64 [%r1], 1;"),
           std::string("mbarrier.expect_tx.release.cta.b64 [%d1], 8;"),
           std::string("mbarrier.try_wait.shared::cluster.b64 %p1, [%r1], %d1;"),
           std::string("mbarrier.try_wait.parity.shared.b64 %p1, [%r1], 2;"),
           std::string("mbarrier.test_wait.shared.b64 _, [%r1], %d1;"),
           std::string("mbarrier.test_wait.parity.shared.b64 %p1, [%r1], 0, 100;"),
           std::string("cp.async.bulk.global.shared::cta.bulk_group [%d1], [tile], 24;"),
           "cp.async.bulk.shared::cta.global" + bytes +
               ".multicast::cluster [tile], [%d1], 32, [bar], %h1;",
           "cp.async.bulk.shared::cta.shared::cta" + bytes + " [tile], [%r1], 32, [bar];",
           std::string(
               "cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f16 [%d1], [%r1], 32;"),
           std::string(
               "cp.reduce.async.bulk.global.shared::cta.bulk_group.add.s64 [%d1], [%r1], 32;"),
           "cp.reduce.async.bulk.shared::cluster.shared::cta" + bytes +
               ".add.f32 [%r1], [%r2], %r3, [%r4];",
           std::string("cp.async.bulk.wait_group %r1;"),
           "st.async.shared::cluster" + bytes + ".v4.b64 [%r1], {%d1, %d2, %d3, %d4}, [%r2];",
           "red.async.shared::cluster" + bytes + ".add.u32 [%r1], %r3, [%r2];",
           std::string("multimem.red.weak.global.add.u32 [%d1], %r1;"),
           std::string("multimem.st.relaxed.global.u32 [%d1], %r1;"),
           std::string("multimem.ld_reduce.add.s64 %d1, [%d1];"),
           std::string("multimem.ld_reduce.max.f32 %f1, [%d1];"),
           std::string("multimem.st.v2.u32 [%d1], {%r1, %r2};"),
           std::string("multimem.ld_reduce.add.acc::f32.f32 %f1, [%d1];"),
           std::string("st.bulk.shared::cta [%r1], 12, 0;"),
           std::string("st.bulk.shared::cta [%r1], 16, 1;"),
           std::string("fence.acquire.sync_restrict::shared::cta.cluster;"),
           std::string("fence.proxy.async::generic.acquire.sync_restrict::shared::cta.cluster;"),
           std::string("fence.mbarrier_init.release.cta;"),
           std::string("membar.proxy.async;"),
           std::string("setmaxnreg.dec.sync.aligned.u32 20;"),
           std::string("griddepcontrol.launch;"),
           std::string("clusterlaunchcontrol.query_cancel.get_first_ctaid.b32.b128 %r1, %q1;"),
       }) {
    INFO(text);
    Status status = decode(text);
    CHECK_FALSE(status.ok());
    CHECK_THAT(status.message(), Catch::Contains(":"));
  }
}
