//===- MoveTest.cpp - tcgen05.ld and .st (PTX ISA 9.7.16.2.3 and .8)
//--------------------------------===//
#include "Harness.h"

#include "ptxsim/engine/TensorMemory.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <set>

using namespace msa::ptxsim;
using namespace msa::ptxsim::test;

TEST_CASE("Fragments of moves are those of the ISA's tables") {
  // By hand: thread 5 and register 3 of each shape.
  auto cell = [](MoveShape shape, uint16_t repeat, unsigned t, unsigned r, bool packed = false) {
    MoveForm form{shape, repeat, packed, 16};
    TensorAddress at = form.cellOf(t, r);
    return std::pair(at.lane, at.column);
  };
  CHECK(cell(MoveShape::L32x32b, 4, 5, 3) == std::pair(5u, 3u));
  CHECK(cell(MoveShape::L16x64b, 4, 5, 3) == std::pair(9u, 6u));
  CHECK(cell(MoveShape::L16x128b, 2, 5, 3) == std::pair(9u, 5u));
  CHECK(cell(MoveShape::L16x256b, 1, 5, 3) == std::pair(9u, 3u));
  CHECK(cell(MoveShape::L16x32bx2, 4, 21, 3) == std::pair(5u, 19u));
  CHECK(cell(MoveShape::L32x32b, 4, 5, 3, true) == std::pair(5u, 6u));
  CHECK(cell(MoveShape::L16x256b, 1, 5, 3, true) == std::pair(9u, 6u));
}

TEST_CASE("A move reaches every cell of its block once") {
  const auto shape = static_cast<MoveShape>(GENERATE(0, 1, 2, 3, 4));
  const uint16_t repeat = GENERATE(1, 2, 8, 32);
  MoveForm form{shape, repeat, false, 0};
  form.split = form.columns();
  std::set<std::pair<uint32_t, uint32_t>> cells;
  for (unsigned t = 0; t < 32; ++t)
    for (unsigned r = 0; r < form.registers(); ++r) {
      TensorAddress at = form.cellOf(t, r);
      CHECK(at.lane < form.laneCount());
      CHECK(at.column < form.extent());
      cells.insert({at.lane, at.column});
    }
  CHECK(cells.size() == size_t{32} * form.registers());
  CHECK(cells.size() == size_t{form.laneCount()} * form.extent());
}

TEST_CASE("Forms that do not exist have no registers") {
  CHECK(MoveForm{MoveShape::L16x256b, 64}.registers() == 0);
  CHECK(MoveForm{MoveShape::L16x128b, 128}.registers() == 0);
  CHECK(MoveForm{MoveShape::L16x256b, 32}.registers() == 128);
}

namespace {

struct MoveCase {
  const char *form;
  unsigned registers;
  const char *split; ///< operand of 16x32bx2
};

/// Stores registers r = 1000 * thread + index in one shape and reads all cells with 32x32b.x1,
/// or (with `loads`) writes cells lane * 1000 + column and reads them in the shape.
std::string moveKernel(const MoveCase &c, bool loads, unsigned columns) {
  std::string regs, text;
  for (unsigned i = 0; i < c.registers; ++i)
    regs += fmt::format("{}%r{}", i ? "," : "", 100 + i);
  text += R"(
  .shared .b32 slot;
  setp.lt.u32 %p1, %tid_x, 32;
  @%p1 tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [slot], 512;
  bar.sync 0; ld.shared.b32 %taddr, [slot];
  and.b32 %lane, %tid_x, 96; shl.b32 %lane, %lane, 16; add.u32 %lane, %lane, %taddr;
  mul.wide.u32 %d1, %tid_x, 512; add.u64 %d1, %buf, %d1;
)";
  for (unsigned i = 0; i < columns; ++i)
    text += fmt::format("  mad.lo.u32 %r1, %tid_x, 1000, {0}; "
                        "tcgen05.st.sync.aligned.32x32b.x1.b32 [%lane+{0}], {{%r1}};\n",
                        i);
  text += "  tcgen05.wait::st.sync.aligned;\n";
  if (loads) {
    text += fmt::format("  tcgen05.ld.sync.aligned.{}.b32 {{{}}}, [%lane]{};\n", c.form, regs,
                        c.split[0] ? fmt::format(", {}", c.split) : "");
    for (unsigned i = 0; i < c.registers; ++i)
      text += fmt::format("  st.global.b32 [%d1+{}], %r{};\n", 4 * i, 100 + i);
  } else {
    for (unsigned i = 0; i < c.registers; ++i)
      text += fmt::format("  mad.lo.u32 %r{}, %tid_x, 1000, {};\n", 100 + i, 70000000 + i);
    text += fmt::format("  tcgen05.st.sync.aligned.{}.b32 [%lane]{}, {{{}}};\n"
                        "  tcgen05.wait::st.sync.aligned;\n",
                        c.form, c.split[0] ? fmt::format(", {}", c.split) : "", regs);
    for (unsigned i = 0; i < columns; ++i)
      text += fmt::format("  tcgen05.ld.sync.aligned.32x32b.x1.b32 {{%r1}}, [%lane+{}]; "
                          "st.global.b32 [%d1+{}], %r1;\n",
                          i, 4 * i);
  }
  text += "  tcgen05.wait::ld.sync.aligned; bar.sync 0;\n"
          "  @%p1 tcgen05.dealloc.cta_group::1.sync.aligned.b32 %taddr, 512;\n";
  return text;
}

} // namespace

TEST_CASE("Loads and stores of every shape move the cells of the table") {
  const MoveCase c = GENERATE(values<MoveCase>({{"32x32b.x8", 8, ""},
                                                {"16x64b.x8", 8, ""},
                                                {"16x128b.x4", 8, ""},
                                                {"16x256b.x2", 8, ""},
                                                {"16x32bx2.x8", 8, "12"}}));
  const bool loads = GENERATE(false, true);
  std::string form = c.form;
  MoveForm map{
      *moveShapeFromWord(form.substr(0, form.find('.'))),
      static_cast<uint16_t>(std::stoi(form.substr(
          form.find('x', 7) == std::string::npos ? form.rfind('x') + 1 : form.rfind('x') + 1))),
      false, c.split[0] ? 12u : 0u};
  REQUIRE(map.registers() == c.registers);
  const unsigned columns = 32;
  for (const RunOptions &options : allSchedules()) {
    TensorRun ran = run({"", moveKernel(c, loads, columns), 128, 1}, options);
    INFO(c.form << " " << ran.text);
    REQUIRE(ran.id == "");
    for (unsigned warp = 0; warp < 4; ++warp)
      for (unsigned t = 0; t < 32; ++t)
        for (unsigned r = 0; r < c.registers; ++r) {
          TensorAddress at = map.cellOf(t, r);
          const unsigned thread = 32 * warp + t, lane = 32 * warp + at.lane;
          if (loads)
            REQUIRE(ran.dump[thread * 128 + r] == lane * 1000 + at.column);
          else
            REQUIRE(ran.dump[lane * 128 + at.column] == thread * 1000 + 70000000 + r);
        }
  }
}

TEST_CASE("pack::16b and unpack::16b move the low halves of two columns") {
  const std::string body = R"(
  .shared .b32 slot;
  tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [slot], 32;
  ld.shared.b32 %taddr, [slot];
  mad.lo.u32 %r1, %tid_x, 65537, 131073; mad.lo.u32 %r2, %tid_x, 65537, 262147;
  tcgen05.st.sync.aligned.32x32b.x2.unpack::16b.b32 [%taddr], {%r1, %r2};
  tcgen05.wait::st.sync.aligned;
  tcgen05.ld.sync.aligned.32x32b.x4.b32 {%r3, %r4, %r5, %r6}, [%taddr];
  tcgen05.ld.sync.aligned.32x32b.x2.pack::16b.b32 {%r7, %r8}, [%taddr];
  tcgen05.wait::ld.sync.aligned;
  mul.wide.u32 %d1, %tid_x, 32; add.u64 %d1, %buf, %d1;
  st.global.b32 [%d1], %r3; st.global.b32 [%d1+4], %r4; st.global.b32 [%d1+8], %r5;
  st.global.b32 [%d1+12], %r6; st.global.b32 [%d1+16], %r7; st.global.b32 [%d1+20], %r8;
  tcgen05.dealloc.cta_group::1.sync.aligned.b32 %taddr, 32;
)";
  for (const RunOptions &options : allSchedules()) {
    TensorRun ran = run({"", body, 32, 1}, options);
    INFO(ran.text);
    REQUIRE(ran.id == "");
    for (uint32_t t = 0; t < 32; ++t) {
      const uint32_t a = t * 65537 + 131073, b = t * 65537 + 262147;
      const uint32_t expected[6] = {a & 0xFFFF, a >> 16, b & 0xFFFF, b >> 16, a, b};
      for (unsigned i = 0; i < 6; ++i)
        REQUIRE(ran.dump[t * 8 + i] == expected[i]);
    }
  }
}
