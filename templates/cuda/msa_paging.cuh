//===- msa_paging.cuh - requests, positions, pages and contract errors ----===//
//
// Clauses P1 to P4: which request a query token belongs to, where it stands in
// that request's keys, and where a key's row lies. Uses MSA_B (block size) and
// MSA_PAGE (tokens a page, 0 = contiguous).
//
//===----------------------------------------------------------------------===//
#pragma once

#include "msa_types.cuh"

/// The lengths of one request.
struct Request {
  int index;
  int firstQuery; ///< token index of its first query
  int endQuery;   ///< one past its last
  int firstKey;   ///< its first row in contiguous K and V
  int keys;       ///< L_r

  /// Position of a query token among the keys (P1); negative: it sees nothing.
  __device__ int position(int token) const { return keys - endQuery + token; }
};

__device__ inline Request requestAt(const int *cuQ, const int *cuK, int index) {
  return {index, cuQ[index], cuQ[index + 1], cuK[index], cuK[index + 1] - cuK[index]};
}

/// The request that holds `token`: the last whose first query is not after it, so that requests
/// without queries are passed over.
__device__ inline Request requestOf(const int *cuQ, const int *cuK, int requests, int token) {
  int low = 0, high = requests - 1;
  while (low < high) {
    int middle = (low + high + 1) / 2;
    if (cuQ[middle] <= token)
      low = middle;
    else
      high = middle - 1;
  }
  return requestAt(cuQ, cuK, low);
}

/// The block that holds a position (P2); -1 for a negative position.
__device__ inline int localBlock(int position) { return position < 0 ? -1 : position / MSA_B; }

/// Codes of `status` (docs/kernels.md).
enum StatusCode : int {
  IdBeyondLocal = 1,
  IdBelowMinusOne = 2,
  IdAfterMinusOne = 3,
  PageOutOfRange = 4
};

// Parameters that only some plans have, each with the expression that stands for it.
#if MSA_PAGE
#define MSA_PAGE_TABLE_PARAMETER const int *__restrict__ pageTable,
#define MSA_PAGE_TABLE pageTable
#else
#define MSA_PAGE_TABLE_PARAMETER
#define MSA_PAGE_TABLE nullptr
#endif
#if MSA_CHECKED
#define MSA_STATUS_PARAMETER int *status,
#define MSA_STATUS status
#else
#define MSA_STATUS_PARAMETER
#define MSA_STATUS nullptr
#endif

/// Reports a contract error; the first one stays.
__device__ inline void report(int *status, int code, int head, int query, int id) {
  if (atomicCAS(status, 0, code) == 0) {
    status[1] = head;
    status[2] = query;
    status[3] = id;
  }
}

/// What is needed to find a key's row; the checked build also knows how many pages there are.
struct KeyRows {
  const int *pageTable;
  int maxPages;
  int *status;
  int pages;

  /// Row index of key `position` of a request in [T, heads, D] or [pages, heads, page, D]; -1 for
  /// a position that is not one of the request's keys (P4: such rows are never read).
  __device__ I64 operator()(const Request &r, int heads, int head, int position) const {
    if (position >= r.keys)
      return -1;
#if MSA_PAGE
    int page = pageTable[(I64)r.index * maxPages + position / MSA_PAGE];
#if MSA_CHECKED
    if (page < 0 || page >= pages) {
      report(status, PageOutOfRange, head, r.firstQuery, page);
      return -1;
    }
#endif
    return ((I64)page * heads + head) * MSA_PAGE + position % MSA_PAGE;
#else
    return (I64)(r.firstKey + position) * heads + head;
#endif
  }
};

/// Where the selected ids of one (head, token) begin (T4). `token` counts from the array's first.
__device__ inline I64 selectionRow(int head, int token, int heads, int tokens) {
  return MSA_TOKEN_MAJOR ? (I64)token * heads + head : (I64)head * tokens + token;
}

/// Whether entry `slot` of a list (in shared memory) names a visible block for the first time (A1).
__device__ inline bool isFirstValid(const int *ids, int slot, int local) {
  int id = ids[slot];
  bool first = id >= 0 && id <= local;
#pragma unroll 1
  for (int i = 0; i < slot; ++i)
    first &= ids[i] != id;
  return first;
}

/// Reports what A1 calls a contract error about entry `slot` of a list (in shared memory).
__device__ inline void checkId(int *status, const int *ids, int slot, int local, int head,
                               int token) {
  int id = ids[slot], code = id > local ? IdBeyondLocal : id < -1 ? IdBelowMinusOne : 0;
  for (int i = 0; i < slot && id >= 0 && !code; ++i)
    code = ids[i] == -1 ? IdAfterMinusOne : 0;
  if (code)
    report(status, code, head, token, id);
}
