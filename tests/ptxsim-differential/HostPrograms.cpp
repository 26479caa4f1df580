//===- HostPrograms.cpp - the random programs for the host ----------------===//
//
// The expected answers. min and max follow PTX (-0 < +0, NaN loses), which C
// leaves open.
//
//===----------------------------------------------------------------------===//
#include "HostPrograms.h"

#include <bit>
#include <cmath>

namespace {

template <typename T> T minimum(T a, T b) {
  if (a != a || b != b)
    return a != a ? b : a;
  return a == b ? (std::signbit(a) ? a : b) : (a < b ? a : b);
}
template <typename T> T maximum(T a, T b) { return -minimum(-a, -b); }

unsigned long long highProduct(unsigned long long a, unsigned long long b) {
  return static_cast<unsigned long long>((static_cast<unsigned __int128>(a) * b) >> 64);
}

} // namespace

#define FUNCTION static
#define POPC(x) __builtin_popcount(x)
#define CLZ(x) std::countl_zero(x)
#define FFS(x) __builtin_ffs(static_cast<int>(x))
#define BREV(x) __builtin_bitreverse32(x)
#define MULHI(a, b) highProduct(a, b)
#define FLOATBITS(x) ((x) != (x) ? 7ull : std::bit_cast<unsigned>(x))
#define DOUBLEBITS(x) ((x) != (x) ? 7ull : std::bit_cast<unsigned long long>(x))
#define SQRTF std::sqrt
#define SQRTD std::sqrt
#define FABSF std::fabs
#define FABSD std::fabs
#define FLOORF std::floor
#define FLOORD std::floor
#define CEILF std::ceil
#define CEILD std::ceil
#define TRUNCF std::trunc
#define TRUNCD std::trunc
#define RINTF std::nearbyint
#define RINTD std::nearbyint
#define FMINF minimum<float>
#define FMIND minimum<double>
#define FMAXF maximum<float>
#define FMAXD maximum<double>
#define FMAF std::fma
#define FMAD std::fma

#include "Programs.h"

#define PROGRAM(index)                                                                             \
  [](const uint64_t *p) -> uint64_t {                                                              \
    return program##index(p[0], p[1], static_cast<int>(p[2]), static_cast<unsigned>(p[2] >> 32),   \
                          std::bit_cast<float>(static_cast<unsigned>(p[3])),                       \
                          std::bit_cast<float>(static_cast<unsigned>(p[3] >> 32)));                \
  },

const std::vector<HostProgram> &hostPrograms() {
  static const std::vector<HostProgram> list = {EACH_PROGRAM};
  return list;
}
