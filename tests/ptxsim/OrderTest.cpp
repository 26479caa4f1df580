// Happens-before without any kernel: sets of operations, clocks, the proxy frontier.
#include "ptxsim/engine/Order.h"

#include <catch2/catch.hpp>

using namespace msa::ptxsim;

namespace {

Order ordered(unsigned ctas, unsigned warps) {
  Order order;
  order.configure(true, ctas, warps);
  order.start();
  return order;
}

} // namespace

TEST_CASE("A set of operations tells the newest apart, older ones are members") {
  AsyncSet set;
  CHECK_FALSE(set.has(1));
  set.add(1);
  set.add(70);
  CHECK(set.has(0));
  CHECK(set.has(1));
  CHECK(set.has(70));
  CHECK_FALSE(set.has(2));
  CHECK_FALSE(set.has(5000));
  set.add(5000);
  CHECK(set.has(5000));
  CHECK_FALSE(set.has(4999));
  CHECK_FALSE(set.has(5000 - AsyncSet::window + 64));
  CHECK(set.has(5000 - AsyncSet::window - 64));
}

TEST_CASE("Merged sets have the members of both, whichever is newer") {
  for (bool swapped : {false, true}) {
    AsyncSet a, b;
    a.add(3);
    a.add(900);
    b.add(1500);
    AsyncSet &into = swapped ? b : a;
    into.merge(swapped ? a : b);
    CHECK(into.has(900));
    CHECK(into.has(1500));
    CHECK_FALSE(into.has(901));
    CHECK_FALSE(into.has(1499));
    CHECK_FALSE(into.has(1501));
  }
}

TEST_CASE("A release and an acquire order two warps, and only what came before") {
  Order order = ordered(1, 2);
  uint32_t before = order.segment(0);
  Knowledge object;
  order.release(0, object);
  uint32_t after = order.segment(0);
  CHECK(after > before);
  CHECK_FALSE(order.happenedBefore(1, 0, before));
  order.acquire(1, object);
  CHECK(order.happenedBefore(1, 0, before));
  CHECK_FALSE(order.happenedBefore(1, 0, after));
  CHECK(order.happenedBefore(0, 0, after));
}

TEST_CASE("bar.arrive tells the waiters, not the arrivers") {
  Order order = ordered(1, 3);
  uint32_t first = order.segment(0), second = order.segment(1);
  std::vector<uint32_t> arrivers = {0}, waiters = {1};
  order.signal(arrivers, waiters);
  CHECK(order.happenedBefore(1, 0, first));
  CHECK_FALSE(order.happenedBefore(0, 1, second));
  CHECK_FALSE(order.happenedBefore(2, 0, first));
}

TEST_CASE("A proxy fence shows what came before it, to whom it is passed on") {
  Order order = ordered(1, 2);
  uint32_t stored = order.segment(0);
  CHECK_FALSE(order.fencedBefore(0, 0, stored));
  Knowledge early, late;
  order.release(0, early);
  order.acquire(1, early);
  CHECK(order.happenedBefore(1, 0, stored));
  CHECK_FALSE(order.fencedBefore(1, 0, stored));
  order.fenceAsync(0);
  CHECK(order.fencedBefore(0, 0, stored));
  uint32_t later = order.segment(0);
  order.release(0, late);
  order.acquire(1, late);
  CHECK(order.fencedBefore(1, 0, stored));
  CHECK_FALSE(order.fencedBefore(1, 0, later));
  // A reader's own fence shows what it has been told of.
  Order other = ordered(1, 2);
  uint32_t written = other.segment(0);
  Knowledge object;
  other.release(0, object);
  other.acquire(1, object);
  other.fenceAsync(1);
  CHECK(other.fencedBefore(1, 0, written));
}

TEST_CASE("Completion of an operation is known to whom it is signalled") {
  Order order = ordered(2, 1);
  AsyncId id = order.begin(0, 12, 3, "copy", Check::B6);
  CHECK(order.operation(id).pc == 12);
  CHECK_FALSE(order.isComplete(0, id));
  CHECK(order.unfinished() == id);
  CHECK_FALSE(order.issuedBefore(1, id));
  Knowledge barrier;
  order.signalCompletion(id, barrier);
  order.acquire(1, barrier);
  CHECK(order.isComplete(1, id));
  CHECK_FALSE(order.isComplete(0, id));
  CHECK(order.unfinished() == 0);
  Knowledge object;
  order.release(0, object);
  order.acquire(1, object);
  CHECK(order.issuedBefore(1, id));
}

TEST_CASE("Clusters do not see each other's segments") {
  Order order = ordered(1, 2);
  uint32_t old = order.segment(0);
  order.start();
  CHECK(order.happenedBefore(1, 0, old));
  CHECK_FALSE(order.happenedBefore(1, 0, order.segment(0)));
}
