#pragma once

#include <limpid/optim/fused_adam.hpp>
#include <limpid/optim/optimizer.hpp>

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <c10/util/ArrayRef.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace limpid::detail {

/// Numbers of a piece: with its gradient and what an optimiser keeps it stays in a core's cache
/// while the optimiser passes over it.
inline constexpr std::int64_t kNumbersOfAPiece = std::int64_t{1} << 15;

/// One parameter, its gradient and what is kept of it, as rows of numbers in their order in memory.
class RowsOfNumbers {
 public:
  explicit RowsOfNumbers(const UpdateGroup& alone) {
    add(alone.parameters.front());
    add(alone.gradients.front());
    for (const auto& kept : alone.state) add(kept.front());
  }

  std::int64_t numbers() const { return rows_.front().numel(); }

  /// Whether a piece of one is the same piece of the others.
  bool can_be_cut() const {
    return std::all_of(rows_.begin(), rows_.end(), [&](const at::Tensor& row) {
      return row.is_non_overlapping_and_dense() && lie_alike(rows_.front(), row);
    });
  }

  /// The numbers from `begin` on, at most those of a piece, of a group that is otherwise `alone`.
  UpdateGroup piece(const UpdateGroup& alone, std::int64_t begin) const {
    const auto count = std::min(kNumbersOfAPiece, numbers() - begin);
    const auto cut = [&](const at::Tensor& row) {
      return row.as_strided(c10::IntArrayRef{&count, 1}, c10::IntArrayRef{&kOne, 1},
                            row.storage_offset() + begin);
    };
    UpdateGroup piece;
    piece.rate = alone.rate;
    piece.decays = alone.decays;
    piece.step = alone.step;
    piece.parameters.push_back(cut(rows_[0]));
    piece.gradients.push_back(cut(rows_[1]));
    for (std::size_t k = 2; k < rows_.size(); ++k) piece.state.push_back({cut(rows_[k])});
    return piece;
  }

 private:
  static constexpr std::int64_t kOne = 1;

  // Without gradient: other threads do not know that none is wanted here.
  void add(const at::Tensor& tensor) { rows_.push_back(tensor.detach()); }

  std::vector<at::Tensor> rows_;
};

/// Updates one parameter of the CPU by an optimiser that moves each number by itself, piece by
/// piece on all threads: an optimiser is many passes over the numbers, and memory is slower than
/// arithmetic. The same numbers, bit for bit, as in one piece.
template <class Update>
void update_in_pieces(UpdateGroup& alone, const Update& update) {
  const RowsOfNumbers rows{alone};
  if (rows.numbers() <= kNumbersOfAPiece || !rows.can_be_cut()) {
    update(alone);
    return;
  }
  const auto pieces = (rows.numbers() + kNumbersOfAPiece - 1) / kNumbersOfAPiece;
  at::parallel_for(0, pieces, 1, [&](std::int64_t first, std::int64_t end) {
    for (auto i = first; i < end; ++i) {
      auto piece = rows.piece(alone, i * kNumbersOfAPiece);
      update(piece);
    }
  });
}

}  // namespace limpid::detail
