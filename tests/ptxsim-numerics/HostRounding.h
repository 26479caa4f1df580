//===- HostRounding.h - the host FPU as an oracle for rounding modes ------===//
//
// Each function sets the host's rounding mode, does one operation and restores
// it. Compiled apart with -frounding-math.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/numerics/Formats.h"

namespace msa::ptxsim::numerics::host {

float narrow(double, Rounding);
float integerToF32(uint64_t bits, bool isSigned, Rounding);
double integerToF64(uint64_t bits, bool isSigned, Rounding);

enum class Op { Add, Sub, Mul, Div, Sqrt, Fma };
float apply(Op, float a, float b, float c, Rounding);
double apply(Op, double a, double b, double c, Rounding);

} // namespace msa::ptxsim::numerics::host
