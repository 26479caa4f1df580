//===- Version.h - the version that every program prints ------------------===//
#pragma once

namespace msa::tools {

/// "0.1.0".
const char *versionText();

} // namespace msa::tools
