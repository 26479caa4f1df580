//===- Random.h - a small seeded generator, the same on every machine -----===//
#pragma once

#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

namespace msa::verify {

/// splitmix64: one addition and three mixing steps a draw.
class Random {
public:
  /// Neighbouring seeds give unrelated streams: the seed is mixed before it becomes the state.
  explicit Random(uint64_t seed) : state(mix(seed ^ 0xD1B54A32D192ED03ull)) {}

  uint64_t next() { return mix(state += 0x9E3779B97F4A7C15ull); }
  /// In [0, n); n > 0.
  int64_t below(int64_t n) { return static_cast<int64_t>(next() % static_cast<uint64_t>(n)); }
  /// In [low, high].
  int64_t between(int64_t low, int64_t high) { return low + below(high - low + 1); }
  /// In [0, 1).
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  bool chance(double probability) { return uniform() < probability; }
  template <typename T> T pick(std::initializer_list<T> values) {
    return values.begin()[below(static_cast<int64_t>(values.size()))];
  }
  /// Roughly normal, mean 0, variance 1: the sum of four uniform draws.
  double normal() {
    uint64_t bits = next();
    double sum = 0;
    for (int i = 0; i < 4; ++i, bits >>= 16)
      sum += static_cast<double>(bits & 0xFFFF) - 32767.5;
    return sum / 65536.0 * 1.7320508075688772;
  }
  template <typename T> void shuffle(std::vector<T> &values) {
    for (size_t i = values.size(); i > 1; --i)
      std::swap(values[i - 1], values[static_cast<size_t>(below(static_cast<int64_t>(i)))]);
  }

private:
  static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  uint64_t state;
};

} // namespace msa::verify
