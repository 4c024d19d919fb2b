#pragma once

#include <limpid/backbones/vgg19.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/named.hpp>
#include <limpid/losses/content/any_content.hpp>
#include <limpid/losses/content/charbonnier.hpp>
#include <limpid/losses/content/content_expression.hpp>
#include <limpid/losses/content/content_networks.hpp>
#include <limpid/losses/content/contextual.hpp>
#include <limpid/losses/content/l1.hpp>
#include <limpid/losses/content/l2.hpp>
#include <limpid/losses/content/perceptual.hpp>
#include <limpid/losses/content/psnr_loss.hpp>

#include <c10/util/Exception.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Content losses by name: "psnr", "perceptual + 0.5 l1".
namespace limpid {

/// The VGG-19 that `networks` name "vgg19", no deeper than the losses here look.
/// @throws c10::ValueError if no weights of it were given.
inline VGG19 vgg19_of(ContentNetworks& networks) {
  return networks.get<VGG19>("vgg19", kVGG19Source, [](const std::filesystem::path& file) {
    return load_vgg19(file, {.deepest = "conv3_3"});
  });
}

/// How a content loss that has a name is made.
struct ContentEntry {
  AnyContent (*make)(ContentNetworks& networks);
  std::string_view network{};  ///< whose weights it takes from `networks`; none if empty
};

/// Every content loss of the library with its defaults.
inline constexpr NamedTable kContentLosses{
    "a content loss",
    Named{L1::name, "mean absolute difference",
          ContentEntry{[](ContentNetworks&) -> AnyContent { return L1{}; }}},
    Named{L2::name, "mean squared difference",
          ContentEntry{[](ContentNetworks&) -> AnyContent { return L2{}; }}},
    Named{Charbonnier::name, "a smooth l1",
          ContentEntry{[](ContentNetworks&) -> AnyContent { return Charbonnier{}; }}},
    Named{PSNRLoss::name, "minus the PSNR in dB",
          ContentEntry{[](ContentNetworks&) -> AnyContent { return PSNRLoss{}; }}},
    Named{Perceptual::name, "distance of VGG-19's feature maps",
          ContentEntry{[](ContentNetworks& networks) -> AnyContent {
                         return Perceptual{vgg19_of(networks)};
                       },
                       "vgg19"}},
    Named{Contextual::name, "distance of VGG-19's features, wherever they are",
          ContentEntry{[](ContentNetworks& networks) -> AnyContent {
                         return Contextual{.vgg = vgg19_of(networks)};
                       },
                       "vgg19"}}};

/// A sum of content losses that are chosen at run time.
class AnySum {
 public:
  explicit AnySum(std::vector<WeightedLoss<AnyContent>> terms) : terms_(std::move(terms)) {
    TORCH_CHECK_VALUE(!terms_.empty(), "a sum of content losses: expected at least one");
  }

  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const {
    return sum_of(loss_terms(*this, restored, target));
  }

  /// As a sum that the compiler knows is called: "(perceptual + 0.5 * l1)".
  std::string name() const {
    std::string text;
    for (const auto& term : terms_) text += (text.empty() ? "" : " + ") + term.name();
    return terms_.size() == 1 ? text : "(" + text + ")";
  }

  void expect_features(SharedFeatures& shared) const {
    for (const auto& term : terms_) term.expect_features(shared);
  }

  void append_terms(const at::Tensor& restored, const at::Tensor& target, double outer,
                    SharedFeatures& shared, std::vector<LossTerm>& evaluated) const {
    for (const auto& term : terms_) {
      term.append_terms(restored, target, outer, shared, evaluated);
    }
  }

  void to(c10::Device device) {
    for (auto& term : terms_) term.to(device);
  }

 private:
  std::vector<WeightedLoss<AnyContent>> terms_;
};

static_assert(NamedContentLoss<AnySum>);

namespace detail {

/// Calls `f(term, entry)` for each term of the expression.
template <class F>
void for_each_content_term(std::string_view text, F f) {
  for (const auto& term : parse_content_expression(text)) {
    const ContentEntry* entry = nullptr;
    try {
      entry = &kContentLosses.at(term.name);
    } catch (const c10::ValueError& error) {
      limpid::refuse("content loss '", text, "', character ", term.at, ": ",
                     error.what_without_backtrace());
    }
    f(term, *entry);
  }
}

}  // namespace detail

/// Refuses what is no network that a content loss of the table looks through.
/// @throws c10::ValueError with all their names.
inline void check_content_network(const std::string& name) {
  std::set<std::string> known;
  kContentLosses.for_each([&](const auto& loss) {
    if (!loss.value.network.empty()) known.emplace(loss.value.network);
  });
  if (known.count(name) != 0) return;
  detail::refuse_name("a network that content losses look through", {known.begin(), known.end()},
                      name);
}

/// The networks whose weights an expression needs, each once: {"vgg19"} for "perceptual + l1".
/// @throws c10::ValueError as `content_by_name`, but for networks.
inline std::vector<std::string> content_networks(std::string_view text) {
  std::vector<std::string> needed;
  detail::for_each_content_term(text, [&](const WeightedName&, const ContentEntry& entry) {
    const std::string network{entry.network};
    if (network.empty()) return;
    if (std::find(needed.begin(), needed.end(), network) == needed.end()) needed.push_back(network);
  });
  return needed;
}

/// The content loss that an expression says: "psnr", "perceptual + 0.5 l1", "2 * (l1 + l2)".
///
/// @param networks  where losses on a network's features find it.
/// @throws c10::ValueError that says at which character what was expected, lists the names where
///         one is unknown, or names the network whose weights are missing.
inline AnyContent content_by_name(std::string_view text, ContentNetworks& networks) {
  std::vector<WeightedLoss<AnyContent>> terms;
  detail::for_each_content_term(text, [&](const WeightedName& term, const ContentEntry& entry) {
    TORCH_CHECK_VALUE(entry.network.empty() || networks.has(entry.network), "content loss '", text,
                      "', character ", term.at, ": no weights of ", entry.network, " are given");
    terms.push_back({term.weight, entry.make(networks)});
  });
  return AnySum{std::move(terms)};
}

/// The same for losses that need no network.
inline AnyContent content_by_name(std::string_view text) {
  ContentNetworks none;
  return content_by_name(text, none);
}

}  // namespace limpid
