//===- Lanes.h - one function of values made a handler over 32 lanes -----------===//
//
// Most instructions are a function of their operands' values. `mapped<F>` is the
// handler of such an instruction: it loops over the lanes in a way that compilers
// vectorise, blends by the mask, and lets "uninitialised" flow from operands to
// result. Each loop is compiled twice, for plain x86-64 and for AVX2 (the target
// attribute; everything below it is inlined); decoding picks by the host's CPU.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/engine/Warp.h"

#include <bit>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

#if defined(__x86_64__)
#define MSA_PTXSIM_WIDE __attribute__((target("avx2,bmi,bmi2,f16c,fma,lzcnt,popcnt")))
#else
#define MSA_PTXSIM_WIDE
#endif
#if defined(__clang__)
#define MSA_PTXSIM_LANE_LOOP _Pragma("clang loop vectorize(assume_safety)")
#else
#define MSA_PTXSIM_LANE_LOOP _Pragma("GCC ivdep")
#endif

namespace msa::ptxsim {

/// True if the host runs the wide variants. Asked while decoding, never while executing.
bool hostIsWide();

/// The cell of a value in a slot: 4 bytes, or 8 for 64-bit types.
template <class T> using CellOf = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;

template <class T> [[gnu::always_inline]] inline T fromCell(CellOf<T> cell) {
  if constexpr (std::is_floating_point_v<T>)
    return std::bit_cast<T>(cell);
  else
    return static_cast<T>(cell);
}
template <class T> [[gnu::always_inline]] inline CellOf<T> toCell(T value) {
  if constexpr (std::is_floating_point_v<T>)
    return std::bit_cast<CellOf<T>>(value);
  else
    return static_cast<CellOf<T>>(static_cast<std::make_unsigned_t<T>>(value));
}

/// Lanes of `mask` of `from` into `to`.
template <class Cell>
[[gnu::always_inline]] inline void blend(Cell *to, const Cell *from, uint32_t mask) {
  MSA_PTXSIM_LANE_LOOP
  for (int lane = 0; lane < 32; ++lane)
    to[lane] = (mask >> lane) & 1 ? from[lane] : to[lane];
}

/// Calls f(lane) for every lane of the mask, lowest first.
template <class F> [[gnu::always_inline]] inline void forLanes(uint32_t mask, F f) {
  for (; mask != 0; mask &= mask - 1)
    f(std::countr_zero(mask));
}

/// The signature of a captureless lambda or function.
template <class F> struct Signature : Signature<decltype(+std::declval<F>())> {};
template <class R, class... A> struct Signature<R (*)(A...)> {
  using Result = R;
  static constexpr unsigned arity = sizeof...(A);
};

template <auto F, class R, class... A, class... P>
[[gnu::always_inline]] inline void mapLoop(Warp &warp, Ref dst, uint32_t mask, R (*)(A...),
                                           const P *...inputs) {
  CellOf<R> *out = warp.cells<CellOf<R>>(dst);
  if (mask == fullMask) {
    MSA_PTXSIM_LANE_LOOP
    for (int lane = 0; lane < 32; ++lane)
      out[lane] = toCell<R>(F(fromCell<A>(inputs[lane])...));
    return;
  }
  alignas(64) CellOf<R> result[32];
  MSA_PTXSIM_LANE_LOOP
  for (int lane = 0; lane < 32; ++lane)
    result[lane] = toCell<R>(F(fromCell<A>(inputs[lane])...));
  blend(out, result, mask);
}

template <auto F, class R, class A>
[[gnu::always_inline]] inline void mapBody(Warp &warp, const Op &op, uint32_t mask, R (*f)(A)) {
  warp.setTaint(op.dst, mask, warp.taintOf(op.a));
  mapLoop<F>(warp, op.dst, mask, f, warp.cells<CellOf<A>>(op.a));
}
template <auto F, class R, class A, class B>
[[gnu::always_inline]] inline void mapBody(Warp &warp, const Op &op, uint32_t mask, R (*f)(A, B)) {
  warp.setTaint(op.dst, mask, warp.taintOf(op.a) | warp.taintOf(op.b));
  mapLoop<F>(warp, op.dst, mask, f, warp.cells<CellOf<A>>(op.a), warp.cells<CellOf<B>>(op.b));
}
template <auto F, class R, class A, class B, class C>
[[gnu::always_inline]] inline void mapBody(Warp &warp, const Op &op, uint32_t mask,
                                           R (*f)(A, B, C)) {
  warp.setTaint(op.dst, mask, warp.taintOf(op.a) | warp.taintOf(op.b) | warp.taintOf(op.c));
  mapLoop<F>(warp, op.dst, mask, f, warp.cells<CellOf<A>>(op.a), warp.cells<CellOf<B>>(op.b),
             warp.cells<CellOf<C>>(op.c));
}

template <auto F> Flow mappedPlain(Warp &warp, const Op &op, uint32_t mask) {
  mapBody<F>(warp, op, mask, +F);
  return Flow::Next;
}
template <auto F> MSA_PTXSIM_WIDE Flow mappedWide(Warp &warp, const Op &op, uint32_t mask) {
  mapBody<F>(warp, op, mask, +F);
  return Flow::Next;
}
/// Handler of dst = F(a[, b[, c]]). All lanes are computed, so F must be defined for any bits.
template <auto F> Handler mapped() { return hostIsWide() ? &mappedWide<F> : &mappedPlain<F>; }

/// Handler of dst = F(op, a[, b[, c]]) for functions that are worth no vectorisation or need the
/// op's modes: only the lanes of the mask are computed.
template <auto F, class R, class... A>
Flow eachLaneBody(Warp &warp, const Op &op, uint32_t mask, R (*)(const Op &, A...)) {
  const Ref sources[3] = {op.a, op.b, op.c};
  uint32_t tainted = 0;
  for (unsigned i = 0; i < sizeof...(A); ++i)
    tainted |= warp.taintOf(sources[i]);
  warp.setTaint(op.dst, mask, tainted);
  CellOf<R> *out = warp.cells<CellOf<R>>(op.dst);
  forLanes(mask, [&](int lane) {
    unsigned next = 0;
    auto read = [&]<class T>(std::type_identity<T>) {
      return fromCell<T>(warp.cells<CellOf<T>>(sources[next++])[lane]);
    };
    // Braces fix the order in which the operands are read.
    std::tuple<A...> values{read(std::type_identity<A>{})...};
    out[lane] = toCell<R>(std::apply([&](A... a) { return F(op, a...); }, values));
  });
  return Flow::Next;
}
template <auto F> Flow eachLane(Warp &warp, const Op &op, uint32_t mask) {
  return eachLaneBody<F>(warp, op, mask, +F);
}

/// A mask with the bit of every lane for which F(a, b) holds.
template <auto F, class A, class B>
[[gnu::always_inline]] inline uint32_t compareLoop(bool (*)(A, B), const CellOf<A> *a,
                                                   const CellOf<B> *b) {
  alignas(64) uint32_t bits[32];
  MSA_PTXSIM_LANE_LOOP
  for (int lane = 0; lane < 32; ++lane)
    bits[lane] = F(fromCell<A>(a[lane]), fromCell<B>(b[lane])) ? 1u << lane : 0u;
  uint32_t all = 0;
  for (int lane = 0; lane < 32; ++lane)
    all |= bits[lane];
  return all;
}

} // namespace msa::ptxsim
