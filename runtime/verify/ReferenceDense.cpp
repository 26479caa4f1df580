//===- ReferenceDense.cpp - every visible block (clause A5) ---------------===//
#include "verify/BlockAttention.h"
#include "verify/Parallel.h"
#include "verify/Reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace msa::verify {
namespace {

constexpr double minusInfinity = -std::numeric_limits<double>::infinity();

/// Running sums of one row relative to `max`, over the blocks seen so far.
struct RunningRow {
  double max = minusInfinity, sum = 0, maxAbsDot = 0;
  std::vector<double> o, absO, absV;

  void add(const BlockSums &block) {
    double newMax = std::max(max, block.max);
    double keep = std::exp(max - newMax), take = std::exp(block.max - newMax);
    o.resize(block.o.size());
    absO.resize(block.o.size());
    absV.resize(block.absV.size());
    for (size_t d = 0; d < o.size(); ++d) {
      o[d] = o[d] * keep + block.o[d] * take;
      absO[d] = absO[d] * keep + block.absO[d] * take;
    }
    for (size_t d = 0; d < absV.size(); ++d)
      absV[d] += block.absV[d];
    sum = sum * keep + block.sum * take;
    max = newMax;
    maxAbsDot = std::max(maxAbsDot, block.maxAbsDot);
  }
};

/// A few tokens of one request and one KV head: the unit of work.
struct Tile {
  int64_t request, head, begin, end;
};

std::vector<Tile> tilesOf(const Case &c, TokenRange range) {
  constexpr int64_t tokensPerTile = 16;
  std::vector<Tile> tiles;
  for (int64_t r = 0; r < c.batch.requests(); ++r)
    for (int64_t h = 0; h < c.plan.heads.kv; ++h) {
      int64_t end = std::min<int64_t>(c.batch.cuQ[r + 1], range.end);
      for (int64_t t = std::max<int64_t>(c.batch.cuQ[r], range.begin); t < end; t += tokensPerTile)
        tiles.push_back({r, h, t, std::min(end, t + tokensPerTile)});
    }
  return tiles;
}

void runTile(const AttentionOperands &operands, const Tile &tile, TokenRange range,
             DenseAttention &result) {
  const Case &c = operands.source;
  const Plan &plan = c.plan;
  const int64_t gqa = plan.gqa(), blocks = c.batch.maxBlocks;
  const int dim = plan.headDim;
  const double logitScale = operands.logitScale(tile.head),
               valueScale = operands.v.scale(tile.head);
  const int64_t rowCount = (tile.end - tile.begin) * gqa;
  std::vector<RunningRow> rows(rowCount);
  std::vector<double> queries(rowCount * dim), logits;
  auto headOf = [&](int64_t i) { return tile.head * gqa + i % gqa; };
  auto tokenOf = [&](int64_t i) { return tile.begin + i / gqa; };
  for (int64_t i = 0; i < rowCount; ++i)
    operands.q.decode(tokenOf(i) * plan.heads.query + headOf(i), queries.data() + i * dim);
  BlockSums sums;
  for (int64_t b = 0; b <= c.batch.localBlock(tile.end - 1); ++b) {
    KvBlock block(operands, tile.request, b, tile.head);
    for (int64_t i = 0; i < rowCount; ++i) {
      int64_t visible = block.visible(c.batch.position(tokenOf(i)));
      if (visible <= 0)
        continue;
      attendBlock(operands, block, queries.data() + i * dim, logitScale, visible, logits, sums);
      rows[i].add(sums);
      if (!plan.blockMaxima)
        continue;
      int64_t cell = (headOf(i) * range.size() + tokenOf(i) - range.begin) * blocks + b;
      result.score[cell] = sums.maxDot;
      result.absDot[cell] = sums.maxAbsDot;
      result.scored[cell] = 1;
    }
  }
  for (int64_t i = 0; i < rowCount; ++i) {
    int64_t row = (tokenOf(i) - range.begin) * plan.heads.query + headOf(i);
    const RunningRow &from = rows[i];
    if (from.max == minusInfinity)
      continue; // no visible key: O = 0, LSE = -inf (A2)
    result.rows.visible[row] = 1;
    result.rows.lse[row] = from.max + std::log(from.sum);
    result.rows.absLogit[row] = logitScale * from.maxAbsDot;
    for (int d = 0; d < dim; ++d) {
      result.rows.o[row * dim + d] = from.o[d] / from.sum * valueScale;
      result.rows.absO[row * dim + d] = from.absO[d] / from.sum * valueScale;
      if (!from.absV.empty())
        result.rows.sumAbsV[row * dim + d] = from.absV[d] * valueScale;
    }
  }
}

} // namespace

DenseAttention denseAttention(const Case &c, TokenRange range) {
  AttentionOperands operands(c);
  DenseAttention result;
  auto rows = static_cast<size_t>(range.size() * c.plan.heads.query);
  size_t elements = rows * c.plan.headDim;
  result.rows.o.resize(elements);
  result.rows.absO.resize(elements);
  result.rows.sumAbsV.resize(operands.wantsAbsV ? elements : 0);
  result.rows.lse.assign(rows, minusInfinity);
  result.rows.absLogit.resize(rows);
  result.rows.visible.resize(rows);
  size_t cells = c.plan.blockMaxima ? rows * static_cast<size_t>(c.batch.maxBlocks) : 0;
  result.score.resize(cells);
  result.absDot.resize(cells);
  result.scored.resize(cells);
  std::vector<Tile> tiles = tilesOf(c, range);
  parallelFor(static_cast<int64_t>(tiles.size()),
              [&](int64_t i) { runTile(operands, tiles[i], range, result); });
  return result;
}

} // namespace msa::verify
