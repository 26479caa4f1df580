//===- Version.cpp - the version that every program prints ----------------===//
#include "Version.h"

namespace msa::tools {

const char *versionText() { return MSA_VERSION; }

} // namespace msa::tools
