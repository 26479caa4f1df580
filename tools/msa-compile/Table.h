//===- Table.h - rows of text in columns ----------------------------------===//
#pragma once

#include <string>
#include <vector>

namespace msa::tools {

/// Rows as text with columns padded to their widest cell; the first row is the heading. Columns
/// whose cells all look like numbers are right-aligned.
std::string formatTable(const std::vector<std::vector<std::string>> &rows);

} // namespace msa::tools
