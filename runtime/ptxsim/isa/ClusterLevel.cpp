//===- ClusterLevel.cpp - PTX ISA 9.7.13.3, 9.7.9.23, .24: barrier.cluster, mapa, getctarank
//-----===//
#include "ptxsim/engine/Cluster.h"
#include "ptxsim/engine/ProgramBuilder.h"
#include "ptxsim/isa/Families.h"

#include <bit>

namespace msa::ptxsim {

namespace {

/// Op::mode: the instruction is .aligned. Op::mode2 of an arrival: it is .relaxed.
bool needsWholeWarp(Warp &w, const Op &op, uint32_t mask) {
  if (!op.mode || mask == w.alive || !w.cta->launch->checks.on(Check::X1))
    return false;
  w.need = w.alive;
  return true;
}

Flow arriveCluster(Warp &w, const Op &op, uint32_t mask) {
  if (needsWholeWarp(w, op, mask))
    return Flow::Converge;
  if (uint32_t again = w.clusterArrived & mask)
    return w.trapAlways("X2", std::countr_zero(again),
                        "this thread arrives again before it has waited (barrier.cluster.wait)");
  w.clusterArrived |= mask;
  bool publishes = !op.mode2 || w.fencedForCluster;
  w.fencedForCluster = false;
  w.cta->cluster->arrive(w, mask, publishes);
  return Flow::Next;
}

Flow waitCluster(Warp &w, const Op &op, uint32_t mask) {
  if (needsWholeWarp(w, op, mask))
    return Flow::Converge;
  if (uint32_t early = mask & ~w.clusterArrived)
    return w.trapAlways("X2", std::countr_zero(early),
                        "this thread waits without having arrived (barrier.cluster.arrive)");
  w.clusterArrived &= ~mask;
  if (w.cta->cluster->pending(w, mask) == 0)
    return Flow::Next;
  w.waitBarrier = Cta::clusterBarrier;
  return Flow::Wait;
}

/// The same place in the shared memory of CTA b.
template <class T> T mapAddress(T a, uint32_t b) {
  constexpr T rankField = T{0xFF} << sharedRankShift;
  return (a & ~rankField) | (static_cast<T>(b) << sharedRankShift & rankField);
}

} // namespace

bool decodeBarrierCluster(Decoder &d) {
  d.take("cluster");
  int kind = d.takeOneOf({"arrive", "wait"});
  if (kind < 0)
    return d.fail("{}: accepted: barrier.cluster.arrive and .wait", d.spelling());
  if (kind == 0 && d.takeOneOf({"release", "relaxed"}) == 1)
    d.op.mode2 = 1;
  else if (kind == 0)
    d.op.mode2 = 0;
  else
    d.take("acquire");
  d.op.mode = d.take("aligned");
  d.expectOperands(0);
  d.set(kind == 0 ? &arriveCluster : &waitCluster, OpClass::Barrier);
  return true;
}

bool decodeMapa(Decoder &d) {
  // Generic and shared::cluster addresses have the rank in the same bits.
  d.take("shared::cluster");
  DataType type = d.takeType();
  if (!type.is("u32") && !type.is("u64"))
    return d.fail("{}: accepted: .u32 and .u64", d.spelling());
  if (!d.expectOperands(3))
    return true;
  d.op.dst = d.destination(0, type);
  d.op.a = d.source(1, type);
  d.op.b = d.source(2, *dataTypeFromWord("u32"));
  d.set(type.bits == 64 ? mapped<mapAddress<uint64_t>>() : mapped<mapAddress<uint32_t>>(),
        OpClass::Move);
  return true;
}

bool decodeGetctarank(Decoder &d) {
  d.take("shared::cluster");
  DataType type = d.takeType();
  if (!type.is("u32") && !type.is("u64"))
    return d.fail("{}: accepted: .u32 and .u64", d.spelling());
  if (!d.expectOperands(2))
    return true;
  d.op.dst = d.destination(0, *dataTypeFromWord("u32"));
  d.op.a = d.source(1, type);
  if (type.bits == 64)
    d.set(mapped<[](uint64_t a) { return static_cast<uint32_t>(a >> sharedRankShift) & 0xFF; }>(),
          OpClass::Move);
  else
    d.set(mapped<[](uint32_t a) { return a >> sharedRankShift; }>(), OpClass::Move);
  return true;
}

} // namespace msa::ptxsim
