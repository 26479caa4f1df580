// Relaxed arrivals and waits count when fences stand beside them; proxy fences count for their
// memory only.
#include "Schedules.h"

#include <catch2/catch.hpp>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

namespace {
/// Warp 0 writes the tile and signals, warp 1 waits and reads. The id that all schedules give, ""
/// if none traps.
std::string handOver(const std::string &arrive, const std::string &wait) {
  std::string body = initBar(32) +
                     "mov.u32 %r61, tile; and.b32 %r59, %tid_x, 31; shl.b32 %r60, %r59, 2; add.u32 "
                     "%r61, %r61, %r60; setp.ge.u32 %p3, %tid_x, 32; @%p3 bra READ; st.shared.u32 "
                     "[%r61], %tid_x;" +
                     arrive + " bra END; READ:" + wait +
                     "ld.shared.u32 %r1, [%r61]; st.global.u32 [%a0], %r1; END:";
  EverySchedule all = runAll(asyncKernel(body, 64));
  INFO(all.ran.text());
  CHECK(all.agree);
  return all.ran.id();
}
const std::string strongArrive = "mbarrier.arrive.release.cta.shared::cta.b64 _, [bar];",
                  weakArrive = "mbarrier.arrive.relaxed.cluster.shared::cta.b64 _, [bar];",
                  strongWait = waitFor("W"),
                  weakWait =
                      "W: mbarrier.try_wait.parity.relaxed.cluster.shared::cta.b64 %p2, [bar], "
                      "0; @!%p2 bra W;",
                  releases = "fence.release.sync_restrict::shared::cta.cluster;",
                  acquires = "fence.acquire.sync_restrict::shared::cluster.cluster;";
} // namespace

TEST_CASE("Fences beside relaxed arrivals and waits") {
  CHECK(handOver(strongArrive, strongWait) == "");
  CHECK(handOver(weakArrive, strongWait) == "P5");
  CHECK(handOver(releases + weakArrive, strongWait) == "");
  CHECK(handOver("fence.acq_rel.cta;" + weakArrive, strongWait) == "");
  CHECK(handOver("membar.cta;" + weakArrive, strongWait) == "");
  CHECK(handOver(acquires + weakArrive, strongWait) == "P5");
  CHECK(handOver("fence.mbarrier_init.release.cluster;" + weakArrive, strongWait) == "P5");
  CHECK(handOver(strongArrive, weakWait) == "P5");
  CHECK(handOver(strongArrive, weakWait + acquires) == "");
  CHECK(handOver(strongArrive, weakWait + "fence.sc.cluster;") == "");
  CHECK(handOver(strongArrive, weakWait + releases) == "P5");
  CHECK(handOver(strongArrive, acquires + weakWait) == "P5");
  CHECK(handOver(releases + weakArrive, weakWait + acquires) == "");
  // What is written behind the fence is not covered by it.
  CHECK(handOver(releases + "st.shared.u32 [%r61], %tid_x;" + weakArrive, strongWait) == "P5");
}

TEST_CASE("Proxy fences of the other memory do not help") {
  for (auto [fence, id] :
       {std::pair{"fence.proxy.async;", ""},
        {"fence.proxy.async.shared::cta;", ""},
        {"fence.proxy.async.shared::cluster;", ""},
        {"fence.proxy.async.global;", "P1"},
        {"fence.proxy.alias;", "P1"},
        {"fence.sc.sys;", "P1"},
        {"fence.proxy.async::generic.release.sync_restrict::shared::cta.cluster;", ""}}) {
    INFO(fence);
    EverySchedule all = runAll(asyncKernel(
        "mov.u32 %r61, tile; shl.b32 %r60, %tid_x, 2; add.u32 %r61, %r61, %r60; st.shared.u32 "
        "[%r61], "
        "%tid_x;" +
        std::string(fence) +
        "bar.sync 0; @%p1 cp.async.bulk.global.shared::cta.bulk_group [%rd_1], [tile], 128; @%p1 "
        "cp.async.bulk.commit_group; @%p1 cp.async.bulk.wait_group 0;"));
    CHECK(all.agree);
    CHECK(all.ran.id() == id);
  }
}
