//===- HostRounding.cpp - the host FPU as an oracle for rounding modes ----===//
//
// volatile keeps every operation between the two mode switches.
//
//===----------------------------------------------------------------------===//
#include "HostRounding.h"

#include <cfenv>
#include <cmath>

namespace msa::ptxsim::numerics::host {
namespace {

class ScopedMode {
public:
  explicit ScopedMode(Rounding mode) : saved(std::fegetround()) {
    int host = FE_TONEAREST;
    if (mode == Rounding::Zero)
      host = FE_TOWARDZERO;
    else if (mode == Rounding::Down)
      host = FE_DOWNWARD;
    else if (mode == Rounding::Up)
      host = FE_UPWARD;
    std::fesetround(host);
  }
  ~ScopedMode() { std::fesetround(saved); }

private:
  int saved;
};

template <typename T> T compute(Op op, T a, T b, T c, Rounding mode) {
  volatile T x = a, y = b, z = c;
  ScopedMode scope(mode);
  volatile T result = 0;
  switch (op) {
  case Op::Add:
    result = x + y;
    break;
  case Op::Sub:
    result = x - y;
    break;
  case Op::Mul:
    result = x * y;
    break;
  case Op::Div:
    result = x / y;
    break;
  case Op::Sqrt:
    result = std::sqrt(x);
    break;
  case Op::Fma:
    result = std::fma(x, y, z);
    break;
  }
  return result;
}

/// The x87 type holds any 64-bit integer; leaving it is the one rounding.
template <typename T> T fromInteger(uint64_t bits, bool isSigned, Rounding mode) {
  volatile long double exact = isSigned ? static_cast<long double>(static_cast<int64_t>(bits))
                                        : static_cast<long double>(bits);
  ScopedMode scope(mode);
  volatile T result = static_cast<T>(exact);
  return result;
}

} // namespace

float narrow(double value, Rounding mode) {
  volatile double x = value;
  ScopedMode scope(mode);
  volatile float result = static_cast<float>(x);
  return result;
}
float integerToF32(uint64_t bits, bool isSigned, Rounding mode) {
  return fromInteger<float>(bits, isSigned, mode);
}
double integerToF64(uint64_t bits, bool isSigned, Rounding mode) {
  return fromInteger<double>(bits, isSigned, mode);
}
float apply(Op op, float a, float b, float c, Rounding mode) { return compute(op, a, b, c, mode); }
double apply(Op op, double a, double b, double c, Rounding mode) {
  return compute(op, a, b, c, mode);
}

} // namespace msa::ptxsim::numerics::host
