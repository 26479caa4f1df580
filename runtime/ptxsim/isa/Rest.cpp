#include "ptxsim/isa/Families.h"
namespace msa::ptxsim {
bool decodeLdmatrix(Decoder &d) { return d.fail("{}: is being written", d.spelling()); }
bool decodeMma(Decoder &d) { return d.fail("{}: is being written", d.spelling()); }
bool decodeMovmatrix(Decoder &d) { return d.fail("{}: is being written", d.spelling()); }
bool decodeStmatrix(Decoder &d) { return d.fail("{}: is being written", d.spelling()); }
} // namespace msa::ptxsim
