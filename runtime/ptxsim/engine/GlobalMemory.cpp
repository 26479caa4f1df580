//===- GlobalMemory.cpp - labelled, sparse device memory --------------------===//
#include "ptxsim/engine/GlobalMemoryImpl.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <sys/mman.h>
#include <thread>

namespace msa::ptxsim {

namespace {
constexpr uint32_t poisonWord = 0x7FC0DEAD;
constexpr uint64_t boundary = 256;

uint64_t alignUp(uint64_t value, uint64_t align) { return (value + align - 1) / align * align; }
} // namespace

//===----------------------------------------------------------------------===//
// LazyPages
//===----------------------------------------------------------------------===//

LazyPages::~LazyPages() {
  if (start)
    munmap(start, length);
}

LazyPages::LazyPages(LazyPages &&other) noexcept
    : start(std::exchange(other.start, nullptr)), length(std::exchange(other.length, 0)) {}

LazyPages &LazyPages::operator=(LazyPages &&other) noexcept {
  std::swap(start, other.start);
  std::swap(length, other.length);
  return *this;
}

bool LazyPages::map(uint64_t bytes) {
  uint64_t wanted = alignUp(bytes == 0 ? 1 : bytes, 4096);
  void *where = mmap(nullptr, wanted, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (where == MAP_FAILED)
    return false;
  LazyPages fresh;
  fresh.start = static_cast<uint8_t *>(where);
  fresh.length = wanted;
  *this = std::move(fresh);
  return true;
}

//===----------------------------------------------------------------------===//
// Allocation
//===----------------------------------------------------------------------===//

void Allocation::fill(uint64_t offset, uint64_t size) {
  for (uint64_t chunk = offset >> chunkShift; chunk <= (offset + size - 1) >> chunkShift; ++chunk) {
    std::atomic<uint8_t> &ready = chunkReady[chunk];
    if (ready.load(std::memory_order_acquire) == 2)
      continue;
    uint8_t untouched = 0;
    if (!ready.compare_exchange_strong(untouched, 1)) {
      while (ready.load(std::memory_order_acquire) != 2)
        std::this_thread::yield();
      continue;
    }
    uint64_t begin = chunk << chunkShift,
             end = std::min<uint64_t>(bytes, begin + (1ull << chunkShift));
    for (uint64_t at = begin; at < end; at += sizeof(poisonWord))
      std::memcpy(host + at, &poisonWord, std::min<uint64_t>(sizeof(poisonWord), end - at));
    ready.store(2, std::memory_order_release);
  }
}

//===----------------------------------------------------------------------===//
// GlobalMemory
//===----------------------------------------------------------------------===//

Expected<std::unique_ptr<Allocation>> GlobalMemory::Impl::make(uint64_t start, uint64_t bytes,
                                                               Initial initial,
                                                               const std::string &label) {
  auto allocation = std::make_unique<Allocation>();
  allocation->start = start;
  allocation->bytes = bytes;
  allocation->label = label;
  uint64_t chunks = (bytes >> Allocation::chunkShift) + 1;
  bool mapped = allocation->pages.map(bytes);
  if (initial == Initial::Uninitialised)
    mapped = mapped && allocation->shadowPages.map(bytes);
  if (initial == Initial::Poison)
    mapped = mapped && allocation->readyPages.map(chunks);
  if (!mapped)
    return Status::missing(
        fmt::format("buffer '{}': the host has no address space for {} bytes", label, bytes));
  allocation->host = allocation->pages.data();
  allocation->shadow = allocation->shadowPages.data();
  if (initial == Initial::Poison)
    allocation->chunkReady =
        reinterpret_cast<std::atomic<uint8_t> *>(allocation->readyPages.data());
  return allocation;
}

Allocation *GlobalMemory::Impl::find(uint64_t address) const {
  auto after = std::upper_bound(allocations.begin(), allocations.end(), address,
                                [](uint64_t at, const auto &a) { return at < a->start; });
  if (after == allocations.begin())
    return nullptr;
  Allocation *candidate = std::prev(after)->get();
  return candidate->holds(address, 1) ? candidate : nullptr;
}

std::string GlobalMemory::Impl::describeNearest(uint64_t address, uint64_t size) const {
  const Allocation *nearest = nullptr;
  uint64_t best = ~0ull;
  auto consider = [&](const Allocation &a) {
    uint64_t distance = address < a.start              ? a.start - address
                        : address >= a.start + a.bytes ? address - (a.start + a.bytes)
                                                       : 0;
    if (distance < best) {
      best = distance;
      nearest = &a;
    }
  };
  for (const auto &a : allocations)
    consider(*a);
  for (const ModuleStorage &storage : modules)
    if (storage.allocation)
      consider(*storage.allocation);
  if (!nearest)
    return "there is no buffer";
  std::string name = fmt::format("buffer '{}' ({} bytes)", nearest->label, nearest->bytes);
  if (address < nearest->start)
    return fmt::format("the nearest is {}, {} bytes before its start", name,
                       nearest->start - address);
  uint64_t past = address + size - (nearest->start + nearest->bytes);
  return fmt::format("the nearest is {}: offset {}, {} {} past its end", name,
                     address - nearest->start, past, past == 1 ? "byte" : "bytes");
}

GlobalMemory::GlobalMemory() : state(std::make_unique<Impl>()) {}
GlobalMemory::~GlobalMemory() = default;

Expected<uint64_t> GlobalMemory::allocate(uint64_t bytes, Initial initial,
                                          const std::string &label) {
  constexpr uint64_t most = 1ull << 45;
  if (bytes > most)
    return Status::invalid(
        fmt::format("buffer '{}': {} bytes asked; accepted: up to {}", label, bytes, most));
  uint64_t start = state->next;
  MSA_ASSIGN_OR_RETURN(auto allocation, Impl::make(start, bytes, initial, label));
  state->allocations.push_back(std::move(allocation));
  state->next = alignUp(start + bytes + guardBytes, boundary);
  return start;
}

Status GlobalMemory::release(uint64_t address) {
  for (auto it = state->allocations.begin(); it != state->allocations.end(); ++it)
    if ((*it)->start == address) {
      state->allocations.erase(it);
      return {};
    }
  return Status::invalid(fmt::format("release of 0x{:x}: no buffer starts there", address));
}

namespace {
/// The allocation that holds all of the range, or why not.
Expected<Allocation *> whole(const GlobalMemory::Impl &impl, uint64_t address, uint64_t size,
                             const char *what) {
  Allocation *allocation = impl.find(address);
  if (!allocation || !allocation->holds(address, size))
    return Status::invalid(fmt::format("{} of {} bytes at 0x{:x}: outside every buffer; {}", what,
                                       size, address, impl.describeNearest(address, size)));
  return allocation;
}
} // namespace

Status GlobalMemory::write(uint64_t address, std::span<const uint8_t> bytes) {
  if (bytes.empty())
    return {};
  MSA_ASSIGN_OR_RETURN(Allocation * allocation, whole(*state, address, bytes.size(), "write"));
  uint64_t offset = address - allocation->start;
  allocation->touch(offset, bytes.size());
  std::memcpy(allocation->host + offset, bytes.data(), bytes.size());
  if (allocation->shadow)
    std::memset(allocation->shadow + offset, 1, bytes.size());
  return {};
}

Status GlobalMemory::read(std::span<uint8_t> bytes, uint64_t address) const {
  if (bytes.empty())
    return {};
  MSA_ASSIGN_OR_RETURN(Allocation * allocation, whole(*state, address, bytes.size(), "read"));
  uint64_t offset = address - allocation->start;
  allocation->touch(offset, bytes.size());
  std::memcpy(bytes.data(), allocation->host + offset, bytes.size());
  return {};
}

} // namespace msa::ptxsim
