// GlobalMemory: sparse, labelled, filled lazily.
#include "ptxsim/Simulator.h"

#include <catch2/catch.hpp>

using namespace msa::ptxsim;

namespace {
std::vector<uint8_t> readBytes(const GlobalMemory &memory, uint64_t at, size_t size) {
  std::vector<uint8_t> bytes(size);
  REQUIRE(memory.read(bytes, at).ok());
  return bytes;
}
} // namespace

TEST_CASE("allocations lie on 256-byte boundaries with gaps between") {
  GlobalMemory memory;
  auto a = memory.allocate(100, Initial::Zero, "a"), b = memory.allocate(1, Initial::Zero, "b");
  REQUIRE((a.ok() && b.ok()));
  CHECK(*a % 256 == 0);
  CHECK(*b % 256 == 0);
  CHECK(*b >= *a + 100 + 4096);
}

TEST_CASE("a terabyte costs nothing until it is touched") {
  GlobalMemory memory;
  auto big = memory.allocate(1ull << 40, Initial::Poison, "big");
  REQUIRE(big.ok());
  CHECK(readBytes(memory, *big + (1ull << 39), 4) == std::vector<uint8_t>{0xAD, 0xDE, 0xC0, 0x7F});
  std::vector<uint8_t> value = {1, 2, 3};
  REQUIRE(memory.write(*big + 65535, value).ok());
  CHECK(readBytes(memory, *big + 65534, 6) == std::vector<uint8_t>{0xC0, 1, 2, 3, 0xC0, 0x7F});
}

TEST_CASE("host accesses outside of buffers are refused with the nearest buffer") {
  GlobalMemory memory;
  auto a = memory.allocate(64, Initial::Zero, "weights");
  std::vector<uint8_t> bytes(8);
  msa::Status status = memory.write(*a + 60, bytes);
  CHECK(status.code() == msa::StatusCode::InvalidInput);
  CHECK(status.message().find("'weights'") != std::string::npos);
  CHECK(!memory.read(bytes, 0).ok());
  CHECK(memory.release(*a).ok());
  CHECK(!memory.release(*a).ok());
  CHECK(!memory.read(bytes, *a).ok());
  CHECK(!memory.allocate(1ull << 60, Initial::Zero, "absurd").ok());
}
