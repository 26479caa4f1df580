// clusterlaunchcontrol, setmaxnreg, griddepcontrol.
#include "Schedules.h"

#include <catch2/catch.hpp>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

TEST_CASE("try_cancel answers, with 16 bytes for each CTA of the cluster") {
  const std::string ask = "mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], 16;",
                    query =
                        "ld.shared.b128 %q1, [tile]; "
                        "clusterlaunchcontrol.query_cancel.is_canceled.pred.b128 %p3, %q1; "
                        "selp.u32 %r1, 2, 1, %p3; @%p3 "
                        "clusterlaunchcontrol.query_cancel.get_first_ctaid.v4.b32.b128 "
                        "{%r2, %r3, %r4, _}, %q1; @%p3 "
                        "clusterlaunchcontrol.query_cancel.get_first_ctaid::x.b32.b128 %r2, %q1;";
  Kernel k =
      asyncKernel(".reg .b128 %q1; " + initBar(1) + "@%p1 " + ask + meet +
                      "setp.eq.u32 %p4, %r62, 0; and.pred %p4, %p4, %p1; @%p4 "
                      "clusterlaunchcontrol.try_cancel.async.shared::cta.mbarrier::complete_tx"
                      "::bytes.multicast::cluster::all.b128 [tile], [bar];" +
                      waitFor("W") + query +
                      "mul.wide.u32 %d1, %r62, 4; add.s64 %d1, %d1, %rd_1; @%p1 st.global.u32 "
                      "[%d1], %r1;" +
                      meet,
                  32, 2);
  auto out = result(k, 1);
  CHECK(out[0] == 1);
  CHECK(out[1] == 1);
}

TEST_CASE("Coordinates of a cluster that was not cancelled are undefined") {
  Kernel k = asyncKernel(".reg .b128 %q1; " + initBar(1) +
                         "@%p1 mbarrier.arrive.expect_tx.shared::cta.b64 _, [bar], 16; @%p1 "
                         "clusterlaunchcontrol.try_cancel.async.mbarrier::complete_tx::bytes.b128 "
                         "[tile], [bar];" +
                         waitFor("W") +
                         "ld.shared.b128 %q1, [tile]; "
                         "clusterlaunchcontrol.query_cancel.get_first_ctaid::y.b32.b128 %r2, %q1; "
                         "@%p1 st.global.u32 [%rd_1], %r2;");
  EverySchedule all = runAll(k);
  CHECK(all.agree);
  CHECK(all.ran.id() == "X4");
}

TEST_CASE("Registers go from one warpgroup to another") {
  Kernel k = asyncKernel("setp.ge.u32 %p3, %tid_x, 128; @%p3 bra MORE; "
                         "setmaxnreg.dec.sync.aligned.u32 24; bra END; MORE: "
                         "setmaxnreg.inc.sync.aligned.u32 104; END: griddepcontrol.wait; "
                         "griddepcontrol.launch_dependents; @%p1 st.global.u32 [%rd_1], 4;",
                         256);
  k.directives = ".maxnreg 64";
  CHECK(result(k, 1)[0] == 4);
}
