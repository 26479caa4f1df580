//===- Fuzz.h - mutated inputs for a parser, with a watchdog --------------===//
//
// A fuzz program is a list of seed inputs and a function that feeds one input
// to a parser. Nothing may crash, hang or leak; what the parser answers is its
// business. Run under the `asan` preset for the full count; the same program
// with a small count is a test. Input number i depends on (--seed, i) alone, so
// `--only i` replays it.
//
//   fuzz-plan --count 1000000 --seed 1        fuzz-plan --seed 1 --only 4711 --print
//
//===----------------------------------------------------------------------===//
#pragma once

#include <algorithm>
#include <atomic>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace msa::fuzz {

/// What a fuzz program gives: seeds, words worth inserting, and the call under test.
struct Target {
  std::string name;
  std::vector<std::string> seeds;
  std::vector<std::string> dictionary;
  bool lines = false; ///< text whose lines and words are worth moving: most edits do
  /// Returns true when the input was accepted.
  std::function<bool(std::string_view)> run;
};

/// One to eight random edits of a random seed (to three where lines and words are moved).
class Mutator {
public:
  Mutator(const Target &target, uint64_t seed) : target(target), rng(seed) {}

  std::string next() {
    std::string input = target.seeds[pick(target.seeds.size())];
    for (size_t edits = 1 + pick(target.lines ? 3 : 8); edits > 0; --edits)
      edit(input);
    return input;
  }

private:
  size_t pick(size_t n) { return n == 0 ? 0 : rng() % n; }

  /// Begin and end of a random line, its end of line included.
  std::pair<size_t, size_t> line(const std::string &s) {
    size_t at = pick(s.size() + 1), begin = s.rfind('\n', at == 0 ? 0 : at - 1);
    begin = begin == std::string::npos || at == 0 ? 0 : begin + 1;
    size_t end = s.find('\n', begin);
    return {begin, end == std::string::npos ? s.size() : end + 1};
  }

  /// A random word: letters, digits and what names have.
  std::pair<size_t, size_t> word(const std::string &s) {
    auto inWord = [&](size_t i) {
      return std::isalnum(static_cast<unsigned char>(s[i])) || s[i] == '_' || s[i] == '%' ||
             s[i] == '-' ||
             (s[i] == ':' && i > 0 && i + 1 < s.size() && (s[i - 1] == ':' || s[i + 1] == ':'));
    };
    size_t begin = pick(s.size() + 1);
    while (begin < s.size() && !inWord(begin))
      ++begin;
    while (begin > 0 && begin <= s.size() && inWord(begin - 1))
      --begin;
    size_t end = begin;
    while (end < s.size() && inWord(end))
      ++end;
    return {begin, end};
  }

  const std::string &number() {
    static const std::vector<std::string> numbers = {"0",
                                                     "-1",
                                                     "1",
                                                     "255",
                                                     "65536",
                                                     "2147483647",
                                                     "2147483648",
                                                     "-2147483649",
                                                     "4294967296",
                                                     "9223372036854775807",
                                                     "18446744073709551616",
                                                     "1e309",
                                                     "-0",
                                                     "0.5",
                                                     "nan"};
    return numbers[pick(numbers.size())];
  }

  void editLines(std::string &s) {
    const std::string &other = target.seeds[pick(target.seeds.size())];
    auto [begin, end] = line(s);
    switch (pick(8)) {
    case 0:
      s.erase(begin, end - begin);
      break;
    case 1: // a line of this text or of another goes elsewhere
    case 2: {
      const std::string &from = pick(2) ? s : other;
      auto [first, last] = line(from);
      s.insert(begin, from.substr(first, last - first));
      break;
    }
    case 3: // swap with the next line
      if (size_t next = s.find('\n', end); next != std::string::npos) {
        std::string moved = s.substr(begin, end - begin);
        s.insert(next + 1, moved);
        s.erase(begin, end - begin);
      }
      break;
    case 4: { // a word for another
      auto [first, last] = word(s);
      auto [otherFirst, otherLast] = word(other);
      s.replace(first, last - first, other.substr(otherFirst, otherLast - otherFirst));
      break;
    }
    case 5:
      replaceNumber(s, pick(s.size() + 1),
                    std::to_string(pick(pick(2) ? 300 : 20) * (1 + 15 * pick(2))));
      break;
    case 6:
      replaceNumber(s, pick(s.size() + 1), number());
      break;
    default: { // a word for one that is known to mean something
      auto [first, last] = word(s);
      if (!target.dictionary.empty())
        s.replace(first, last - first, target.dictionary[pick(target.dictionary.size())]);
    }
    }
  }

  void edit(std::string &s) {
    if (target.lines && pick(8) != 0) {
      editLines(s);
      return;
    }
    size_t at = pick(s.size() + 1), length = 1 + pick(16);
    switch (pick(10)) {
    case 0: // flip a bit
      if (at < s.size())
        s[at] = static_cast<char>(s[at] ^ (1 << pick(8)));
      break;
    case 1: // replace a byte
      if (at < s.size())
        s[at] = static_cast<char>(rng());
      break;
    case 2:
      s.erase(at, length);
      break;
    case 3: // repeat a span
      s.insert(at, s.substr(at, length));
      break;
    case 4: // move a span
      s.insert(pick(s.size() + 1), s.substr(at, length * 4));
      break;
    case 5: // splice with another seed
      s = s.substr(0, at) + tail(target.seeds[pick(target.seeds.size())]);
      break;
    case 6:
      if (!target.dictionary.empty())
        s.insert(at, target.dictionary[pick(target.dictionary.size())]);
      break;
    case 7: // replace a number
      replaceNumber(s, at, number());
      break;
    case 8:
      s.resize(at);
      break;
    default: // overwrite a little-endian word
      if (at + 4 <= s.size()) {
        uint32_t word = pick(2) ? static_cast<uint32_t>(rng()) : ~0u >> pick(32);
        std::memcpy(s.data() + at, &word, sizeof word);
      }
    }
    if (s.size() > (1u << 16))
      s.resize(1u << 16);
  }

  std::string tail(const std::string &s) { return s.substr(pick(s.size() + 1)); }

  static void replaceNumber(std::string &s, size_t at, const std::string &number) {
    size_t begin = s.find_first_of("0123456789", at);
    if (begin == std::string::npos)
      return;
    size_t end = s.find_first_not_of("0123456789", begin);
    s.replace(begin, (end == std::string::npos ? s.size() : end) - begin, number);
  }

  const Target &target;
  std::mt19937_64 rng;
};

/// Parses the command line and runs. Returns the program's exit code.
inline int runFuzz(const Target &target, int argc, char **argv) {
  uint64_t count = 20000, seed = 1, only = ~0ull;
  bool print = false;
  for (int i = 1; i < argc; ++i) {
    std::string_view flag = argv[i];
    auto number = [&] { return i + 1 < argc ? std::strtoull(argv[++i], nullptr, 10) : 0; };
    if (flag == "--count")
      count = number();
    else if (flag == "--seed")
      seed = number();
    else if (flag == "--only")
      only = number();
    else if (flag == "--print")
      print = true;
    else {
      std::fprintf(stderr, "%s: usage: [--count N] [--seed S] [--only I [--print]]\n", argv[0]);
      return 2;
    }
  }

  // The watchdog: an input that takes ten seconds is a hang.
  std::atomic<uint64_t> current{0};
  std::atomic<bool> finished{false};
  std::thread watchdog([&] {
    uint64_t last = ~0ull;
    for (int still = 0; !finished;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      uint64_t now = current;
      still = now == last ? still + 1 : 0;
      last = now;
      if (still == 100) {
        std::fprintf(stderr, "%s: hang at --seed %llu --only %llu\n", target.name.c_str(),
                     static_cast<unsigned long long>(seed), static_cast<unsigned long long>(now));
        std::_Exit(1);
      }
    }
  });

  auto start = std::chrono::steady_clock::now();
  uint64_t accepted = 0, begin = only == ~0ull ? 0 : only, end = only == ~0ull ? count : only + 1;
  for (uint64_t i = begin; i < end; ++i) {
    current = i;
    std::string input = Mutator(target, seed * 0x9E3779B97F4A7C15ull + i).next();
    if (print)
      std::fwrite(input.data(), 1, input.size(), stdout);
    accepted += target.run(input);
  }
  finished = true;
  watchdog.join();
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%s: %llu inputs, %llu accepted, seed %llu, %.1f s: no crash, no hang\n",
              target.name.c_str(), static_cast<unsigned long long>(end - begin),
              static_cast<unsigned long long>(accepted), static_cast<unsigned long long>(seed),
              seconds);
  return 0;
}

} // namespace msa::fuzz
