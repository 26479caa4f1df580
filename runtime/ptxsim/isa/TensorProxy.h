//===- TensorProxy.h - tensor maps as copies see them (P4)
//--------------------------------------------===//
//
// Copies read their tensor map through the tensormap proxy, which may hold an old
// copy of its 128 bytes. A map in global memory that a kernel modifies has to be
// released (fence.proxy.tensormap::generic.release, or tensormap.cp_fenceproxy) by
// the writer and acquired by whoever uses it next (PTX ISA 8.4, 9.7.9.28).
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ptxsim/TensorMap.h"
#include "ptxsim/engine/AsyncMemory.h"

#include <map>

namespace msa::ptxsim {

class TensorProxy final : public CtaState {
public:
  void start(Cta &) override { maps.clear(); }
  struct Record {
    bool hasBytes = false;
    TensorMapBytes bytes{};   ///< as the proxy read them
    bool modified = false;    ///< by tensormap.replace, and not released
    bool mustAcquire = false; ///< released, and not acquired since
    uint32_t pc = 0;          ///< of the modification
  };
  std::map<uint64_t, Record> maps; ///< by global address
};

/// The map at a generic address (parameter, constant or global memory): M1 if there is none, P4 if
/// it was modified and the proxy may not see that.
Flow loadTensorMap(const Origin &, uint64_t address, TensorMap &);

} // namespace msa::ptxsim
