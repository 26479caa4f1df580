//===- Cta.cpp - starting a CTA, barriers, traps ---------------------------------===//
#include "ptxsim/engine/Cluster.h"

#include "ptxsim/isa/SpecialRegisters.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace msa::ptxsim {

namespace {
void addEach(std::vector<uint64_t> &to, const std::vector<uint64_t> &from) {
  if (to.size() < from.size())
    to.resize(from.size());
  for (size_t i = 0; i < from.size(); ++i)
    to[i] += from[i];
}
} // namespace

void Tally::add(const Tally &other) {
  for (auto field : {&Tally::warpInstructions,
                     &Tally::globalLoadBytes,
                     &Tally::globalStoreBytes,
                     &Tally::sharedLoadBytes,
                     &Tally::sharedStoreBytes,
                     &Tally::localBytes,
                     &Tally::constBytes,
                     &Tally::clusterBytes,
                     &Tally::globalRequests,
                     &Tally::globalSectors,
                     &Tally::sharedRequests,
                     &Tally::sharedBankConflicts,
                     &Tally::bulkLoadBytes,
                     &Tally::bulkStoreBytes,
                     &Tally::bulkReduceBytes,
                     &Tally::tmaLoadBytes,
                     &Tally::tmaStoreBytes,
                     &Tally::tmaReduceBytes,
                     &Tally::tmaOutsideBytes,
                     &Tally::tensorMemoryLoadBytes,
                     &Tally::tensorMemoryStoreBytes,
                     &Tally::tensorMemoryCopyBytes,
                     &Tally::operandBytes,
                     &Tally::barrierWaits,
                     &Tally::mbarrierTests,
                     &Tally::mbarrierRefusals})
    this->*field += other.*field;
  addEach(executions, other.executions);
  addEach(warpExecuted, other.warpExecuted);
  for (unsigned i = 0; i < productKindCount; ++i)
    flops[i] += other.flops[i];
}

//===----------------------------------------------------------------------===//
// Starting
//===----------------------------------------------------------------------===//

Cta::Cta(const Launch &launch, Cluster *cluster, uint32_t rank)
    : launch(&launch), cluster(cluster), rank(rank), warps(launch.warps) {
  const Program &program = *launch.program;
  bool tracksTaint = launch.checks.on(Check::X4);
  countsAccesses = launch.options->counters;
  shared.resize(launch.sharedBytes + 16);
  if (tracksTaint)
    sharedShadow.resize(launch.sharedBytes + 16);
  sharedRegion.start = sharedWindow + (uint64_t{rank} << sharedRankShift);
  sharedRegion.bytes = launch.sharedBytes;
  sharedRegion.host = shared.data();
  sharedRegion.shadow = tracksTaint ? sharedShadow.data() : nullptr;
  sharedRegion.space = StateSpace::Shared;
  constRegion.start = constWindow;
  constRegion.bytes = launch.constants->size();
  constRegion.host = const_cast<uint8_t *>(launch.constants->data());
  constRegion.space = StateSpace::Const;
  constRegion.writable = false;
  const std::vector<uint8_t> &parameters = launch.config->parameters;
  paramRegion.start = paramWindow;
  paramRegion.bytes = parameters.size();
  paramRegion.host = const_cast<uint8_t *>(parameters.data());
  paramRegion.space = StateSpace::Param;
  paramRegion.writable = false;
  bool async = program.asyncOps;
  races.configure(launch.checks.on(Check::P5) &&
                      (async || launch.warps * clusterSize(*launch.config) > 1),
                  cluster->order, launch.sharedBytes, program.sharedGranule, rank * launch.warps);
  asyncShadow.configure(async, launch.sharedBytes);
  for (uint32_t i = 0; i < launch.warps; ++i) {
    Warp &w = warps[i];
    w.cta = this;
    w.program = &program;
    w.index = i;
    w.registerFile.resize(static_cast<size_t>(program.registerSlots) * 128 + 64);
    w.taintFile.resize(program.registerSlots + program.constants.size() / 128);
    w.predicateFile.resize(2 * static_cast<size_t>(program.predicates));
    auto address = reinterpret_cast<uintptr_t>(w.registerFile.data());
    w.base[0] = w.registerFile.data() + ((64 - address % 64) % 64);
    w.base[1] = const_cast<uint8_t *>(program.constants.data());
    w.taint[0] = w.taintFile.data();
    w.taint[1] = w.taintFile.data() + program.registerSlots;
    w.predicates = w.predicateFile.data();
    w.predicateTaint = w.predicateFile.data() + program.predicates;
    // A lane's copy starts on a 16-byte boundary, as the widest access needs.
    uint64_t stride = (static_cast<uint64_t>(program.localBytes) + 15) / 16 * 16;
    w.pendingSlots.assign(program.registerSlots / 64 + 1, 0);
    w.localBytes.resize(stride * 32);
    if (tracksTaint)
      w.localShadow.resize(stride * 32);
    w.localRegion.start = localWindow;
    w.localRegion.bytes = program.localBytes;
    w.localRegion.host = w.localBytes.data();
    w.localRegion.shadow = tracksTaint ? w.localShadow.data() : nullptr;
    w.localRegion.laneStride = stride;
    w.localRegion.space = StateSpace::Local;
  }
}

void Cta::start(std::array<uint32_t, 3> coordinates) {
  id = coordinates;
  const auto &grid = launch->config->grid;
  linear = id[0] + uint64_t{grid[0]} * (id[1] + uint64_t{grid[1]} * id[2]);
  // What an uninitialised read returns when X4 is off must not depend on who ran here before.
  std::fill(shared.begin(), shared.end(), 0);
  std::fill(sharedShadow.begin(), sharedShadow.end(), 0);
  barriers = {};
  races.start();
  asyncShadow.start();
  mbarriers.start();
  suspects.clear();
  globalSuspects.clear();
  startTally();
  pendingCopies = 0;
  trapped = false;
  trap = {};
  random = launch->options->seed * 0x9E3779B97F4A7C15ull + linear;
  starved = nextRandom() % warps.size();
  for (Warp &w : warps)
    startWarp(w);
  for (Slot &slot : states)
    slot.state->start(*this);
}

void Cta::startTally() {
  std::vector<uint64_t> executions = std::move(tally.executions); // keeps its memory
  tally = {};
  const size_t ops = launch->program->ops.size();
  executions.assign(countsAccesses ? ops * warps.size() : ops, 0);
  tally.executions = std::move(executions);
  for (Warp &w : warps)
    w.executions = tally.executions.data() + (countsAccesses ? ops * w.index : 0);
}

CtaState::~CtaState() = default;

void Cta::finishStates() {
  for (Slot &slot : states)
    slot.state->finish(*this);
}

Order &Cta::order() const { return cluster->order; }

void Cta::startWarp(Warp &w) {
  const Program &program = *launch->program;
  std::fill(w.registerFile.begin(), w.registerFile.end(), 0);
  bool tracksTaint = launch->checks.on(Check::X4);
  std::fill_n(w.taintFile.begin(), program.registerSlots, tracksTaint ? fullMask : 0);
  std::fill_n(w.predicates, program.predicates, 0);
  std::fill_n(w.predicateTaint, program.predicates, tracksTaint ? fullMask : 0);
  w.predicates[0] = fullMask;
  w.predicateTaint[0] = 0;
  std::fill(w.localBytes.begin(), w.localBytes.end(), 0);
  std::fill(w.localShadow.begin(), w.localShadow.end(), 0);
  uint32_t first = w.index * 32, count = std::min(32u, launch->threads - first);
  w.alive = count == 32 ? fullMask : (1u << count) - 1;
  w.active = w.alive;
  w.executed = 0;
  w.strongReads = 0;
  w.readsSeen = 0;
  w.executedSeen = 0;
  w.clusterArrived = 0;
  w.fencedForCluster = false;
  w.uninitialisedRead = {};
  std::fill(w.pendingSlots.begin(), w.pendingSlots.end(), 0);
  w.pendingCount = 0;
  w.pendingOwners[0] = w.pendingOwners[1] = nullptr;
  w.timedOut = false;
  w.lastGlobal = Region();
  w.fragments.clear();
  w.joins.clear();
  w.copies.clear();
  std::fill(std::begin(w.openCopyGroup), std::end(w.openCopyGroup), 0);
  Fragment all;
  all.mask = w.alive;
  w.fragments.push_back(std::move(all));
  for (auto [special, ref] : program.specials) {
    fillSpecial(w, special, w.cells<uint32_t>(ref));
    w.taint[0][ref] = 0;
  }
  for (const Program::SharedAddress &symbol : program.sharedAddresses) {
    uint64_t address = (uint64_t{rank} << sharedRankShift) + symbol.offset;
    for (int lane = 0; lane < 32; ++lane)
      if (symbol.bits == 64)
        w.cells<uint64_t>(symbol.ref)[lane] = address;
      else
        w.cells<uint32_t>(symbol.ref)[lane] = static_cast<uint32_t>(address);
    w.taint[0][symbol.ref] = 0;
  }
  if (program.explicitClusterPredicate != 0) {
    bool isExplicit = launch->explicitCluster;
    w.predicates[program.explicitClusterPredicate] = isExplicit ? fullMask : 0;
    w.predicateTaint[program.explicitClusterPredicate] = 0;
  }
}

bool Cta::isDone() const {
  return std::all_of(warps.begin(), warps.end(), [](const Warp &w) { return w.alive == 0; });
}

uint64_t Cta::nextRandom() {
  // splitmix64
  uint64_t z = (random += 0x9E3779B97F4A7C15ull);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

//===----------------------------------------------------------------------===//
// Barriers (PTX ISA 9.7.13.1)
//===----------------------------------------------------------------------===//

bool Cta::isComplete(const Barrier &barrier) const {
  uint32_t whole = 0;
  for (const Warp &w : warps) {
    uint32_t lanes = barrier.arrived[w.index];
    bool all = (w.alive & ~lanes) == 0;
    if (barrier.expectedWarps == 0 && !all)
      return false;
    whole += (all && lanes != 0) + barrier.earlier[w.index];
  }
  return whole >= std::max(1u, barrier.expectedWarps);
}

bool Cta::arrive(Warp &warp, unsigned index, uint32_t lanes, bool waits) {
  Barrier &barrier = barriers[index];
  barrier.busy = true;
  barrier.arrived[warp.index] |= lanes;
  if (waits)
    barrier.waiters |= 1u << warp.index;
  if (!isComplete(barrier))
    return false;
  complete(index);
  return true;
}

void Cta::complete(unsigned index) {
  Barrier &barrier = barriers[index];
  std::vector<uint32_t> arrivers, waiters;
  for (const Warp &w : warps)
    if (barrier.arrived[w.index] != 0 || barrier.earlier[w.index] != 0)
      ((barrier.waiters >> w.index) & 1 ? waiters : arrivers).push_back(numberOf(w));
  order().signal(arrivers, waiters);
  ++cluster->events;
  tally.barrierWaits += static_cast<uint64_t>(std::popcount(barrier.waiters));
  for (const ReductionWaiter &waiter : barrier.results)
    finishReduction(waiter, barrier);
  release(static_cast<uint8_t>(index));
  barrier = Barrier();
}

void Cta::release(uint8_t index) {
  for (Warp &w : warps)
    for (Fragment &f : w.fragments)
      if (f.state == Fragment::State::AtBarrier && f.barrier == index)
        f.state = Fragment::State::Ready;
}

//===----------------------------------------------------------------------===//
// Traps
//===----------------------------------------------------------------------===//

Flow Warp::trapAlways(const char *id, int lane, std::string message) {
  if (cta->trapped)
    return Flow::Trap;
  cta->trapped = true;
  cta->cluster->isStopped = true;
  Trap &trap = cta->trap;
  trap.id = id;
  trap.message = std::move(message);
  trap.file = cta->launch->moduleName;
  trap.cta = cta->id;
  trap.warp = index;
  trap.lane = lane;
  const Function &function = *program->info[pc].function;
  if (function.body.empty())
    return Flow::Trap;
  const Instruction &instruction = program->instruction(pc);
  trap.location = instruction.location;
  std::string spelling = instruction.opcode;
  for (const std::string &modifier : instruction.modifiers)
    spelling += "." + modifier;
  trap.message = spelling + ": " + trap.message;
  const auto &files = cta->launch->module->sourceFiles;
  if (instruction.sourceLine != 0)
    trap.sourceLine = fmt::format(
        "{}:{}", instruction.sourceFile < files.size() ? files[instruction.sourceFile] : "?",
        instruction.sourceLine);
  return Flow::Trap;
}

Flow Warp::trap(Check check, int lane, std::string message) {
  if (!cta->launch->checks.on(check))
    return Flow::Next;
  return trapAlways(std::string(toString(check)).c_str(), lane, std::move(message));
}

Flow Warp::checkTaint(uint32_t tainted, const char *what, const Op &) {
  if (tainted == 0)
    return Flow::Next;
  std::string text = fmt::format("{} comes from an uninitialised register or memory", what);
  if (const UninitialisedRead &read = uninitialisedRead; read.happened) {
    std::string place = read.tensorLane >= 0
                            ? fmt::format("lane {} of tensor memory", read.tensorLane)
                        : read.allocation ? fmt::format("buffer '{}'", read.allocation->label)
                                          : fmt::format("{} memory", toString(read.space));
    text += fmt::format(
        "; this warp's last read of uninitialised memory: line {}, lane {}, {} {} of {}",
        program->instruction(read.pc).location.line, read.lane,
        read.tensorLane >= 0 ? "column" : "offset", read.offset, place);
  }
  return trap(Check::X4, std::countr_zero(tainted), std::move(text));
}

} // namespace msa::ptxsim
