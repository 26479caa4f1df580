//===- CaseFile.cpp - one tiny PTX program per instruction variant --------===//
//
// Line-oriented: a case starts in the first column, everything that belongs to
// it is indented.
//
//===----------------------------------------------------------------------===//
#include "CaseFile.h"

#include "Values.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace msa::ptxsim::cases {
namespace {

const char *const inputNames[] = {"%a", "%b", "%c", "%e", "%f", "%g", "%h", "%i"};
const char *const outputNames[] = {"%d", "%q", "%r", "%s", "%u", "%v", "%w", "%x"};

std::string trimmed(const std::string &text) {
  size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string> words(const std::string &text) {
  std::istringstream stream(text);
  std::vector<std::string> list;
  for (std::string word; stream >> word;)
    list.push_back(word);
  return list;
}

std::vector<std::string> splitAtCommas(const std::string &text) {
  std::vector<std::string> list;
  std::string part;
  std::istringstream stream(text);
  while (std::getline(stream, part, ','))
    if (!trimmed(part).empty())
      list.push_back(trimmed(part));
  return list;
}

/// "left -> right"
std::pair<std::string, std::string> splitAtArrow(const std::string &text) {
  size_t arrow = text.find("->");
  if (arrow == std::string::npos)
    throw std::runtime_error("expected \"->\"");
  return {trimmed(text.substr(0, arrow)), trimmed(text.substr(arrow + 2))};
}

ExpectedValue expectedValue(const ValueType &type, const std::string &text) {
  if (text == "?")
    return {ExpectedValue::Kind::Anything};
  if (text == "nan")
    return {ExpectedValue::Kind::AnyNaN};
  size_t tilde = text.find('~');
  uint64_t ulps = tilde == std::string::npos ? 0 : std::stoull(text.substr(tilde + 1));
  return {ExpectedValue::Kind::Bits, parseValue(type, text.substr(0, tilde)), ulps};
}

class Reader {
public:
  explicit Reader(const std::string &path) : path(path), file(path) {
    if (!file)
      throw std::runtime_error(path + ": cannot be read");
  }

  std::vector<Case> run() {
    for (std::string line; next(line);)
      try {
        if (trimmed(line).empty() || trimmed(line)[0] == '#')
          continue;
        if (line[0] != ' ')
          startCase(line);
        else
          addTo(trimmed(line));
      } catch (const std::exception &error) {
        throw std::runtime_error(path + ":" + std::to_string(number) + ": " + error.what());
      }
    return list;
  }

private:
  /// A line; a backslash at its end joins the next one.
  bool next(std::string &line) {
    line.clear();
    for (std::string part; std::getline(file, part);) {
      ++number;
      bool more = !part.empty() && part.back() == '\\';
      if (more)
        part.pop_back();
      line += part;
      if (!more)
        return true;
    }
    return !line.empty();
  }

  void startCase(const std::string &line) {
    std::vector<std::string> parts = words(line);
    if (parts[0] == "target" && parts.size() == 3) { // "target sm_90 8.0": for the cases below
      target = parts[1];
      version = parts[2];
      return;
    }
    Case fresh;
    fresh.file = path.substr(path.rfind('/') + 1);
    fresh.line = number;
    fresh.text = trimmed(line);
    fresh.target = target;
    fresh.version = version;
    list.push_back(fresh);
    hasSignature = false;
  }

  void addTo(const std::string &line) {
    if (list.empty())
      throw std::runtime_error("an indented line before the first case");
    Case &current = list.back();
    if (line.rfind(".module ", 0) == 0)
      current.moduleLines.push_back(line.substr(8));
    else if (line.rfind(".body ", 0) == 0)
      current.bodyLines.push_back(line.substr(6));
    else if (line.rfind(".refused ", 0) == 0)
      current.refused = trimmed(line.substr(9));
    else if (line.rfind(".trap ", 0) == 0)
      current.trap = trimmed(line.substr(6));
    else if (!hasSignature)
      readSignature(current, line);
    else if (line.rfind("for ", 0) == 0)
      addFormula(current, line);
    else
      addRow(current, line);
  }

  void readSignature(Case &current, const std::string &line) {
    auto [left, right] = splitAtArrow(line);
    for (const std::string &word : words(left))
      current.inputs.push_back(valueType(word));
    for (const std::string &word : words(right))
      current.outputs.push_back(valueType(word));
    if (current.inputs.size() > std::size(inputNames) ||
        current.outputs.size() > std::size(outputNames))
      throw std::runtime_error("more than 8 inputs or outputs");
    hasSignature = true;
  }

  void addRow(Case &current, const std::string &line) {
    auto [left, right] = splitAtArrow(line);
    std::vector<std::string> in = words(left), out = words(right);
    Row row;
    row.line = number;
    require(current, in.size(), out.size());
    for (size_t i = 0; i < in.size(); ++i)
      row.inputs.push_back(parseValue(current.inputs[i], in[i]));
    for (size_t i = 0; i < out.size(); ++i)
      row.outputs.push_back(expectedValue(current.outputs[i], out[i]));
    current.rows.push_back(row);
  }

  /// "for 32: formula, formula -> formula": one thread for each lane number.
  void addFormula(Case &current, const std::string &line) {
    size_t colon = line.find(':');
    if (colon == std::string::npos)
      throw std::runtime_error("expected \"for COUNT: inputs -> outputs\"");
    int count = std::stoi(line.substr(4));
    auto [left, right] = splitAtArrow(line.substr(colon + 1));
    std::vector<std::string> in = splitAtCommas(left), out = splitAtCommas(right);
    require(current, in.size(), out.size());
    for (int lane = 0; lane < count; ++lane) {
      Row row;
      row.line = number;
      for (const std::string &formula : in)
        row.inputs.push_back(evaluate(formula, static_cast<uint64_t>(lane)));
      for (size_t i = 0; i < out.size(); ++i) {
        ExpectedValue value;
        if (out[i] == "?")
          value.kind = ExpectedValue::Kind::Anything;
        else
          value.bits =
              evaluate(out[i], static_cast<uint64_t>(lane)) &
              (current.outputs[i].bits == 64 ? ~0ull : (1ull << current.outputs[i].bits) - 1);
        row.outputs.push_back(value);
      }
      current.rows.push_back(row);
    }
  }

  static void require(const Case &current, size_t in, size_t out) {
    if (in != current.inputs.size() || out != current.outputs.size())
      throw std::runtime_error("a line needs " + std::to_string(current.inputs.size()) +
                               " inputs and " + std::to_string(current.outputs.size()) +
                               " outputs");
  }

  std::string path;
  std::ifstream file;
  int number = 0;
  std::string target = "sm_80", version = "8.0";
  bool hasSignature = false;
  std::vector<Case> list;
};

std::string replaced(std::string text, const std::string &unique) {
  for (size_t at = 0; (at = text.find('$', at)) != std::string::npos; at += unique.size())
    text.replace(at, 1, unique);
  return text;
}

std::string registerType(const ValueType &type) {
  if (type.name == "f32" || type.name == "f64" || type.name == "pred")
    return type.name;
  return "b" + std::to_string(type.bits);
}

void declare(std::ostream &out, const ValueType &type, const char *name) {
  out << "  .reg ." << registerType(type) << " " << name << ";\n";
}

void load(std::ostream &out, const ValueType &type, const char *name, size_t index) {
  std::string place = "[%addr0+" + std::to_string(index * 8) + "]";
  if (type.name == "pred")
    out << "  ld.global.u32 %word, " << place << ";\n  setp.ne.u32 " << name << ", %word, 0;\n";
  else
    out << "  ld.global." << registerType(type) << " " << name << ", " << place << ";\n";
}

void store(std::ostream &out, const ValueType &type, const char *name, size_t index) {
  std::string place = "[%addr1+" + std::to_string(index * 8) + "]";
  if (type.name == "pred")
    out << "  selp.u32 %word, 1, 0, " << name << ";\n  st.global.u32 " << place << ", %word;\n";
  else
    out << "  st.global." << registerType(type) << " " << place << ", " << name << ";\n";
}

/// Distance in representable numbers between two codes of a sign-magnitude format.
uint64_t distance(uint64_t a, uint64_t b, int bits) {
  uint64_t sign = 1ull << (bits - 1);
  auto ordered = [&](uint64_t x) { return (x & sign) != 0 ? sign - (x & (sign - 1)) : sign + x; };
  uint64_t x = ordered(a), y = ordered(b);
  return x > y ? x - y : y - x;
}

bool isNaN(const ValueType &type, uint64_t bits) {
  if (type.name == "f64")
    return std::isnan(std::bit_cast<double>(bits));
  if (type.name == "f32")
    return std::isnan(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  return (bits & 0x7FFF) > (type.name == "f16" ? 0x7C00u : 0x7F80u);
}

} // namespace

std::vector<Case> readCases(const std::string &path) { return Reader(path).run(); }

std::string kernelText(const Case &each, const std::string &entry, const std::string &unique) {
  std::ostringstream out;
  for (const std::string &line : each.moduleLines)
    out << replaced(line, unique) << "\n";
  out << ".visible .entry " << entry << "(.param .u64 input, .param .u64 output)\n{\n"
      << "  .reg .b64 %addr0, %addr1;\n  .reg .b32 %word, %thread;\n";
  for (size_t i = 0; i < each.inputs.size(); ++i)
    declare(out, each.inputs[i], inputNames[i]);
  for (size_t i = 0; i < each.outputs.size(); ++i)
    declare(out, each.outputs[i], outputNames[i]);
  for (const std::string &line : each.bodyLines)
    out << "  " << replaced(line, unique) << "\n";
  out << "  mov.u32 %thread, %tid.x;\n"
      << "  ld.param.u64 %addr0, [input];\n  ld.param.u64 %addr1, [output];\n"
      << "  mad.wide.u32 %addr0, %thread, " << std::max<size_t>(each.inputs.size(), 1) * 8
      << ", %addr0;\n"
      << "  mad.wide.u32 %addr1, %thread, " << std::max<size_t>(each.outputs.size(), 1) * 8
      << ", %addr1;\n";
  for (size_t i = 0; i < each.inputs.size(); ++i)
    load(out, each.inputs[i], inputNames[i], i);
  std::string text = replaced(each.text, unique);
  // A block or a label ends by itself.
  bool ended = text.back() == ':' || (text.front() == '{' && text.back() == '}');
  out << "  " << text << (ended ? "\n" : ";\n");
  for (size_t i = 0; i < each.outputs.size(); ++i)
    store(out, each.outputs[i], outputNames[i], i);
  out << "  ret;\n}\n";
  return out.str();
}

std::string moduleText(const Case &each) {
  return ".version " + each.version + "\n.target " + each.target + "\n.address_size 64\n" +
         kernelText(each, "test", "x");
}

bool matches(const ValueType &type, const ExpectedValue &expected, uint64_t bits) {
  switch (expected.kind) {
  case ExpectedValue::Kind::Anything:
    return true;
  case ExpectedValue::Kind::AnyNaN:
    return isNaN(type, bits);
  case ExpectedValue::Kind::Bits:
    break;
  }
  if (expected.ulps == 0 || bits == expected.bits)
    return bits == expected.bits;
  return !isNaN(type, bits) && distance(bits, expected.bits, type.bits) <= expected.ulps;
}

} // namespace msa::ptxsim::cases
