//===- Table.cpp - rows of text in columns --------------------------------===//
#include "Table.h"

#include <fmt/format.h>

#include <algorithm>

namespace msa::tools {
namespace {

bool looksNumeric(const std::string &cell) {
  return !cell.empty() && cell.find_first_not_of("0123456789.-+ex") == std::string::npos;
}

} // namespace

std::string formatTable(const std::vector<std::vector<std::string>> &rows) {
  if (rows.empty())
    return {};
  std::vector<size_t> widths(rows.front().size());
  std::vector<bool> numeric(widths.size(), rows.size() > 1);
  for (size_t row = 0; row < rows.size(); ++row)
    for (size_t column = 0; column < widths.size(); ++column) {
      widths[column] = std::max(widths[column], rows[row][column].size());
      numeric[column] = numeric[column] && (row == 0 || looksNumeric(rows[row][column]));
    }
  std::string text;
  for (const std::vector<std::string> &row : rows) {
    std::string line;
    for (size_t column = 0; column < widths.size(); ++column)
      line += numeric[column] ? fmt::format("{:>{}}  ", row[column], widths[column])
                              : fmt::format("{:<{}}  ", row[column], widths[column]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

} // namespace msa::tools
