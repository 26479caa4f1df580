//===- SpecialRegisters.cpp - PTX ISA 10 ---------------------------------------===//
#include "ptxsim/isa/SpecialRegisters.h"

#include "ptxsim/engine/Cta.h"
#include "ptxsim/engine/ProgramBuilder.h"

namespace msa::ptxsim {

namespace {

struct FixedRow {
  std::string_view name;
  char component;
  SpecialId id;
};

constexpr FixedRow fixedRows[] = {
    {"%tid", 'x', SpecialId::TidX},
    {"%tid", 'y', SpecialId::TidY},
    {"%tid", 'z', SpecialId::TidZ},
    {"%ntid", 'x', SpecialId::NtidX},
    {"%ntid", 'y', SpecialId::NtidY},
    {"%ntid", 'z', SpecialId::NtidZ},
    {"%ctaid", 'x', SpecialId::CtaidX},
    {"%ctaid", 'y', SpecialId::CtaidY},
    {"%ctaid", 'z', SpecialId::CtaidZ},
    {"%nctaid", 'x', SpecialId::NctaidX},
    {"%nctaid", 'y', SpecialId::NctaidY},
    {"%nctaid", 'z', SpecialId::NctaidZ},
    {"%laneid", 0, SpecialId::LaneId},
    {"%warpid", 0, SpecialId::WarpId},
    {"%nwarpid", 0, SpecialId::NwarpId},
    {"%smid", 0, SpecialId::SmId},
    {"%nsmid", 0, SpecialId::NsmId},
    {"%gridid", 0, SpecialId::GridId},
    {"%lanemask_eq", 0, SpecialId::LaneMaskEq},
    {"%lanemask_le", 0, SpecialId::LaneMaskLe},
    {"%lanemask_lt", 0, SpecialId::LaneMaskLt},
    {"%lanemask_ge", 0, SpecialId::LaneMaskGe},
    {"%lanemask_gt", 0, SpecialId::LaneMaskGt},
    {"%dynamic_smem_size", 0, SpecialId::DynamicSmemSize},
    {"%total_smem_size", 0, SpecialId::TotalSmemSize},
    {"%aggr_smem_size", 0, SpecialId::TotalSmemSize},
    {"%reserved_smem_offset_begin", 0, SpecialId::ReservedSmem},
    {"%reserved_smem_offset_end", 0, SpecialId::ReservedSmem},
    {"%reserved_smem_offset_cap", 0, SpecialId::ReservedSmem},
    {"%clusterid", 'x', SpecialId::ClusterIdX},
    {"%clusterid", 'y', SpecialId::ClusterIdY},
    {"%clusterid", 'z', SpecialId::ClusterIdZ},
    {"%nclusterid", 'x', SpecialId::NclusterIdX},
    {"%nclusterid", 'y', SpecialId::NclusterIdY},
    {"%nclusterid", 'z', SpecialId::NclusterIdZ},
    {"%cluster_ctaid", 'x', SpecialId::ClusterCtaX},
    {"%cluster_ctaid", 'y', SpecialId::ClusterCtaY},
    {"%cluster_ctaid", 'z', SpecialId::ClusterCtaZ},
    {"%cluster_nctaid", 'x', SpecialId::ClusterNctaX},
    {"%cluster_nctaid", 'y', SpecialId::ClusterNctaY},
    {"%cluster_nctaid", 'z', SpecialId::ClusterNctaZ},
    {"%cluster_ctarank", 0, SpecialId::ClusterRank},
    {"%cluster_nctarank", 0, SpecialId::ClusterSize},
};

/// Warp instructions of this warp so far: a clock that is the same in every run.
uint64_t clockOf(const Warp &w) { return w.executed * 4; }

enum class Live : uint8_t { Clock, ClockHigh, Clock64, Timer, TimerLow, TimerHigh };

struct LiveRow {
  std::string_view name;
  Live id;
  uint32_t bits;
};

constexpr LiveRow liveRows[] = {
    {"%clock", Live::Clock, 32},
    {"%clock_hi", Live::ClockHigh, 32},
    {"%clock64", Live::Clock64, 64},
    {"%globaltimer", Live::Timer, 64},
    {"%globaltimer_lo", Live::TimerLow, 32},
    {"%globaltimer_hi", Live::TimerHigh, 32},
};

Flow readLive(Warp &w, const Op &op, uint32_t mask) {
  uint64_t clock = clockOf(w);
  switch (static_cast<Live>(op.mode)) {
  case Live::ClockHigh:
  case Live::TimerHigh:
    clock >>= 32;
    break;
  default:
    break;
  }
  w.taint[0][op.dst] = 0;
  for (int lane = 0; lane < 32; ++lane) {
    if (op.count == 64)
      w.cells<uint64_t>(op.dst)[lane] = clock;
    else
      w.cells<uint32_t>(op.dst)[lane] = static_cast<uint32_t>(clock);
  }
  // Code that watches a clock waits for something.
  w.strongReads += 1;
  return Flow::Next;
}

/// %is_explicit_cluster and others that are predicates have no slot.
bool isPredicateSpecial(std::string_view name) { return name == "%is_explicit_cluster"; }

} // namespace

Ref specialRegisterRef(Decoder &d, const Operand &o, const DataType &type) {
  const SpecialRegister &reg = o.special;
  if (type.bits != 32 && type.bits != 64 && type.bits != 16) {
    d.failAt(o.location, fmt::format("{}: {} is not accepted here", d.spelling(), reg.name));
    return 0;
  }
  for (const LiveRow &row : liveRows) {
    if (row.name != reg.name)
      continue;
    if (row.bits != type.bits) {
      d.failAt(o.location, fmt::format("{}: {} has {} bits", d.spelling(), reg.name, row.bits));
      return 0;
    }
    Op read;
    read.run = readLive;
    read.opClass = OpClass::Special;
    read.dst = d.scratch(row.bits);
    read.mode = static_cast<uint8_t>(row.id);
    read.count = static_cast<uint16_t>(row.bits);
    d.program().emitBefore(read);
    return read.dst;
  }
  if (reg.name.starts_with("%envreg") || reg.name.starts_with("%pm"))
    return d.constant(0, type.bits);
  for (const FixedRow &row : fixedRows) {
    if (row.name != reg.name || (row.component != reg.component && reg.component != 0))
      continue;
    if (row.component != 0 && reg.component == 0)
      break;
    if (type.bits == 64) {
      if (row.id == SpecialId::GridId)
        return d.constant(1, 64);
      break;
    }
    return d.program().special(row.id);
  }
  d.failAt(o.location,
           isPredicateSpecial(reg.name)
               ? fmt::format("{}: {} is a predicate", d.spelling(), reg.name)
               : fmt::format("{}: the special register {}{}{} is not available as .{}",
                             d.spelling(), reg.name, reg.component ? "." : "",
                             reg.component ? std::string(1, reg.component) : "", type.word));
  return 0;
}

void fillSpecial(const Warp &w, SpecialId id, uint32_t *cells) {
  const Launch &launch = *w.cta->launch;
  const auto &grid = launch.config->grid, &block = launch.config->block, &cta = w.cta->id;
  const auto &cluster = launch.config->cluster;
  auto all = [&](uint32_t value) {
    for (int lane = 0; lane < 32; ++lane)
      cells[lane] = value;
  };
  auto each = [&](auto f) {
    for (uint32_t lane = 0; lane < 32; ++lane)
      cells[lane] = f(lane);
  };
  auto thread = [&](uint32_t lane) { return w.index * 32 + lane; };
  switch (id) {
  case SpecialId::TidX:
    return each([&](uint32_t lane) { return thread(lane) % block[0]; });
  case SpecialId::TidY:
    return each([&](uint32_t lane) { return thread(lane) / block[0] % block[1]; });
  case SpecialId::TidZ:
    return each([&](uint32_t lane) { return thread(lane) / block[0] / block[1]; });
  case SpecialId::NtidX:
    return all(block[0]);
  case SpecialId::NtidY:
    return all(block[1]);
  case SpecialId::NtidZ:
    return all(block[2]);
  case SpecialId::CtaidX:
    return all(cta[0]);
  case SpecialId::CtaidY:
    return all(cta[1]);
  case SpecialId::CtaidZ:
    return all(cta[2]);
  case SpecialId::NctaidX:
    return all(grid[0]);
  case SpecialId::NctaidY:
    return all(grid[1]);
  case SpecialId::NctaidZ:
    return all(grid[2]);
  case SpecialId::LaneId:
    return each([](uint32_t lane) { return lane; });
  case SpecialId::WarpId:
    return all(w.index);
  case SpecialId::NwarpId:
    return all(launch.warps);
  case SpecialId::SmId:
    return all(static_cast<uint32_t>(w.cta->linear % std::max(1u, launch.options->smCount)));
  case SpecialId::NsmId:
    return all(std::max(1u, launch.options->smCount));
  case SpecialId::GridId:
    return all(1);
  case SpecialId::WarpSize:
    return all(32);
  case SpecialId::LaneMaskEq:
    return each([](uint32_t lane) { return 1u << lane; });
  case SpecialId::LaneMaskLt:
    return each([](uint32_t lane) { return (1u << lane) - 1; });
  case SpecialId::LaneMaskLe:
    return each([](uint32_t lane) { return (2u << lane) - 1; });
  case SpecialId::LaneMaskGt:
    return each([](uint32_t lane) { return ~((2u << lane) - 1); });
  case SpecialId::LaneMaskGe:
    return each([](uint32_t lane) { return ~((1u << lane) - 1); });
  case SpecialId::DynamicSmemSize:
    return all(launch.config->dynamicSharedBytes);
  case SpecialId::TotalSmemSize:
    return all(launch.sharedBytes);
  case SpecialId::ReservedSmem:
    return all(0);
  case SpecialId::ClusterIdX:
    return all(cta[0] / cluster[0]);
  case SpecialId::ClusterIdY:
    return all(cta[1] / cluster[1]);
  case SpecialId::ClusterIdZ:
    return all(cta[2] / cluster[2]);
  case SpecialId::NclusterIdX:
    return all(grid[0] / cluster[0]);
  case SpecialId::NclusterIdY:
    return all(grid[1] / cluster[1]);
  case SpecialId::NclusterIdZ:
    return all(grid[2] / cluster[2]);
  case SpecialId::ClusterCtaX:
    return all(cta[0] % cluster[0]);
  case SpecialId::ClusterCtaY:
    return all(cta[1] % cluster[1]);
  case SpecialId::ClusterCtaZ:
    return all(cta[2] % cluster[2]);
  case SpecialId::ClusterNctaX:
    return all(cluster[0]);
  case SpecialId::ClusterNctaY:
    return all(cluster[1]);
  case SpecialId::ClusterNctaZ:
    return all(cluster[2]);
  case SpecialId::ClusterRank:
    return all(w.cta->rank);
  case SpecialId::ClusterSize:
    return all(cluster[0] * cluster[1] * cluster[2]);
  }
}

} // namespace msa::ptxsim
