#pragma once

#include <limpid/backbones/lpips_network.hpp>
#include <limpid/backbones/vgg19.hpp>
#include <limpid/core/compiled.hpp>
#include <limpid/core/fail.hpp>
#include <limpid/core/named.hpp>
#include <limpid/core/options_by_name.hpp>
#include <limpid/losses/content/any_content.hpp>
#include <limpid/losses/content/charbonnier.hpp>
#include <limpid/losses/content/content_expression.hpp>
#include <limpid/losses/content/content_networks.hpp>
#include <limpid/losses/content/content_options.hpp>
#include <limpid/losses/content/contextual.hpp>
#include <limpid/losses/content/edge_loss.hpp>
#include <limpid/losses/content/focal_frequency_loss.hpp>
#include <limpid/losses/content/frequency_loss.hpp>
#include <limpid/losses/content/gradient_loss.hpp>
#include <limpid/losses/content/l1.hpp>
#include <limpid/losses/content/l2.hpp>
#include <limpid/losses/content/lpips_loss.hpp>
#include <limpid/losses/content/ms_ssim_loss.hpp>
#include <limpid/losses/content/perceptual.hpp>
#include <limpid/losses/content/psnr_loss.hpp>
#include <limpid/losses/content/psnr_y_loss.hpp>
#include <limpid/losses/content/ssim_loss.hpp>
#include <limpid/losses/content/style_loss.hpp>
#include <limpid/losses/content/total_variation.hpp>

#include <c10/util/Exception.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Content losses by name: "psnr:floor=3e-4", "perceptual + 0.5 l1".

#ifdef LIMPID_BODIES
#include <algorithm>
#include <filesystem>
#include <set>
#endif

namespace limpid {

/// The VGG-19 that `networks` name "vgg19", no deeper than the losses here look.
/// @throws c10::ValueError if no weights of it were given.
LIMPID_INLINE VGG19 vgg19_of(ContentNetworks& networks);

/// What a network of LPIPS, or the file of its heads, is called; and the file of what they stand
/// on.
constexpr std::array<std::string_view, 2> lpips_network_names(LPIPSNet net) {
  switch (net) {
    case LPIPSNet::alex:
      return {"lpips-alex", "alexnet"};
    case LPIPSNet::vgg:
      return {"lpips-vgg", "vgg16"};
    case LPIPSNet::squeeze:
      return {"lpips-squeeze", "squeezenet"};
  }
  return {};
}

/// The network of LPIPS that `networks` hold, or of whose parts they name the files.
/// @throws c10::ValueError if no weights of it were given.
LIMPID_INLINE LPIPSNetwork lpips_of(ContentNetworks& networks, LPIPSNet net);

/// How a content loss that has a name is made.
struct ContentEntry {
  AnyContent (*make)(ContentNetworks& networks);
  /// Whose weights it takes from `networks`; none if empty. Of more than one the first is a network
  /// that the others' files are parts of: where it is given whole, they are not needed.
  std::array<std::string_view, 2> networks{};
  /// The same with options; null where it has none.
  AnyContent (*make_with)(const OptionTexts& options) = nullptr;

  /// The names in `networks`.
  std::vector<std::string> needs() const;
};

namespace detail {

template <NamedContentLoss L>
AnyContent make_content(ContentNetworks& networks);

template <NamedContentLoss L>
AnyContent make_content_with(const OptionTexts& options);

template <LPIPSNet Net>
AnyContent make_lpips(ContentNetworks& networks);

LIMPID_INLINE AnyContent make_half_frequency(ContentNetworks& networks);
LIMPID_INLINE AnyContent make_perceptual(ContentNetworks& networks);
LIMPID_INLINE AnyContent make_contextual(ContentNetworks& networks);
LIMPID_INLINE AnyContent make_style(ContentNetworks& networks);

/// The entry of a content loss that needs no network.
template <NamedContentLoss L>
constexpr ContentEntry plain_content() {
  return {&make_content<L>, {}, &make_content_with<L>};
}

/// The entry of LPIPS by one of its networks.
template <LPIPSNet Net>
constexpr ContentEntry lpips_content() {
  return {&make_lpips<Net>, lpips_network_names(Net)};
}

}  // namespace detail

/// Every content loss of the library with its defaults.
inline constexpr NamedTable kContentLosses{
    "a content loss",
    Named{L1::name, "mean absolute difference", detail::plain_content<L1>()},
    Named{L2::name, "mean squared difference", detail::plain_content<L2>()},
    Named{Charbonnier::name, "a smooth l1", detail::plain_content<Charbonnier>()},
    Named{PSNRLoss::name, "minus the PSNR in dB", detail::plain_content<PSNRLoss>()},
    Named{PSNRYLoss::name, "minus the PSNR of the luma in dB", detail::plain_content<PSNRYLoss>()},
    Named{SSIMLoss::name, "1 - SSIM", detail::plain_content<SSIMLoss>()},
    Named{MSSSIMLoss::name, "1 - MS-SSIM", detail::plain_content<MSSSIMLoss>()},
    Named{"frequency", "l1 between spectra", detail::plain_content<FrequencyLoss>()},
    Named{"frequency-half", "l1 between the halves of spectra that differ",
          ContentEntry{&detail::make_half_frequency}},
    Named{FocalFrequencyLoss::name, "distance of spectra where they differ most",
          detail::plain_content<FocalFrequencyLoss>()},
    Named{LaplacianEdge::name, "charbonnier between edges", detail::plain_content<LaplacianEdge>()},
    Named{GradientLoss::name, "l1 between steps from pixel to pixel",
          detail::plain_content<GradientLoss>()},
    Named{TotalVariation::name, "steps from pixel to pixel of the restored image",
          detail::plain_content<TotalVariation>()},
    Named{Perceptual::name, "distance of VGG-19's feature maps",
          ContentEntry{&detail::make_perceptual, "vgg19"}},
    Named{Contextual::name, "distance of VGG-19's features, wherever they are",
          ContentEntry{&detail::make_contextual, "vgg19"}},
    Named{StyleLoss::name, "distance of textures, by VGG-19",
          ContentEntry{&detail::make_style, "vgg19"}},
    Named{"lpips-alex", "learned distance, by AlexNet", detail::lpips_content<LPIPSNet::alex>()},
    Named{"lpips-vgg", "learned distance, by VGG-16", detail::lpips_content<LPIPSNet::vgg>()},
    Named{"lpips-squeeze", "learned distance, by SqueezeNet",
          detail::lpips_content<LPIPSNet::squeeze>()}};

/// A sum of content losses that are chosen at run time.
class AnySum {
 public:
  explicit AnySum(std::vector<WeightedLoss<AnyContent>> terms);

  at::Tensor operator()(const at::Tensor& restored, const at::Tensor& target) const;

  /// As a sum that the compiler knows is called: "(perceptual + 0.5 * l1)".
  std::string name() const;

  void expect_features(SharedFeatures& shared) const;

  void append_terms(const at::Tensor& restored, const at::Tensor& target, double outer,
                    SharedFeatures& shared, std::vector<LossTerm>& evaluated) const;

  void to(c10::Device device);

 private:
  std::vector<WeightedLoss<AnyContent>> terms_;
};

static_assert(NamedContentLoss<AnySum>);

namespace detail {

/// A term's loss, where that needs no network.
LIMPID_INLINE AnyContent make_plain(const ContentEntry& entry, const WeightedName& term);

/// Calls `f(term, entry)` for each term of the expression, its options checked.
template <class F>
void for_each_content_term(std::string_view text, F f) {
  for (const auto& term : parse_content_expression(text)) {
    const ContentEntry* entry = nullptr;
    try {
      entry = &kContentLosses.at(term.name);
      if (!term.options.empty()) make_plain(*entry, term);
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
LIMPID_INLINE void check_content_network(const std::string& name);

/// The networks whose weights an expression needs, each once: {"vgg19"} for "perceptual + l1".
/// @throws c10::ValueError as `content_by_name`, but for networks.
LIMPID_INLINE std::vector<std::string> content_networks(std::string_view text);

/// The content loss that an expression says: "psnr:floor=3e-4", "perceptual + 0.5 l1", "2 * (l1 +
/// l2)".
///
/// @param networks  where losses on a network's features find it.
/// @throws c10::ValueError that says at which character what was expected, lists the names where
///         one is unknown, or names the network whose weights are missing.
LIMPID_INLINE AnyContent content_by_name(std::string_view text, ContentNetworks& networks);

/// The same for losses that need no network.
LIMPID_INLINE AnyContent content_by_name(std::string_view text);

}  // namespace limpid

#ifdef LIMPID_BODIES

namespace limpid::detail {

template <NamedContentLoss L>
LIMPID_KEPT AnyContent make_content(ContentNetworks&) {
  return L{};
}

template <NamedContentLoss L>
LIMPID_KEPT AnyContent make_content_with(const OptionTexts& options) {
  return with_options(L{}, options);
}

template <LPIPSNet Net>
LIMPID_KEPT AnyContent make_lpips(ContentNetworks& networks) {
  return LPIPSLoss{lpips_of(networks, Net)};
}

LIMPID_INLINE AnyContent make_half_frequency(ContentNetworks&) {
  return FrequencyLoss{Spectrum::half};
}

LIMPID_INLINE AnyContent make_perceptual(ContentNetworks& networks) {
  return Perceptual{vgg19_of(networks)};
}

LIMPID_INLINE AnyContent make_contextual(ContentNetworks& networks) {
  return Contextual{.vgg = vgg19_of(networks)};
}

LIMPID_INLINE AnyContent make_style(ContentNetworks& networks) {
  return StyleLoss{vgg19_of(networks)};
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE VGG19 vgg19_of(ContentNetworks& networks) {
  return networks.get<VGG19>("vgg19", kVGG19Source, [](const std::filesystem::path& file) {
    return load_vgg19(file, {.deepest = "conv3_3"});
  });
}

LIMPID_INLINE LPIPSNetwork lpips_of(ContentNetworks& networks, LPIPSNet net) {
  const auto names = lpips_network_names(net);
  const auto load = [&](const std::filesystem::path& heads) {
    return load_lpips(net, networks.file(names[1], lpips_backbone_source(net)), heads);
  };
  return networks.get<LPIPSNetwork>(names[0], lpips_heads_source(net), load);
}

LIMPID_INLINE std::vector<std::string> ContentEntry::needs() const {
  std::vector<std::string> names;
  for (const auto network : networks) {
    if (!network.empty()) names.emplace_back(network);
  }
  return names;
}

LIMPID_INLINE AnySum::AnySum(std::vector<WeightedLoss<AnyContent>> terms)
    : terms_(std::move(terms)) {
  TORCH_CHECK_VALUE(!terms_.empty(), "a sum of content losses: expected at least one");
}

LIMPID_INLINE at::Tensor AnySum::operator()(const at::Tensor& restored,
                                            const at::Tensor& target) const {
  return sum_of(loss_terms(*this, restored, target));
}

LIMPID_INLINE std::string AnySum::name() const {
  std::string text;
  for (const auto& term : terms_) text += (text.empty() ? "" : " + ") + term.name();
  return terms_.size() == 1 ? text : "(" + text + ")";
}

LIMPID_INLINE void AnySum::expect_features(SharedFeatures& shared) const {
  for (const auto& term : terms_) term.expect_features(shared);
}

LIMPID_INLINE void AnySum::append_terms(const at::Tensor& restored, const at::Tensor& target,
                                        double outer, SharedFeatures& shared,
                                        std::vector<LossTerm>& evaluated) const {
  for (const auto& term : terms_) {
    term.append_terms(restored, target, outer, shared, evaluated);
  }
}

LIMPID_INLINE void AnySum::to(c10::Device device) {
  for (auto& term : terms_) term.to(device);
}

}  // namespace limpid

namespace limpid::detail {

LIMPID_INLINE AnyContent make_plain(const ContentEntry& entry, const WeightedName& term) {
  ContentNetworks none;
  if (term.options.empty()) return entry.make(none);
  TORCH_CHECK_VALUE(entry.make_with != nullptr, term.name, " has no options, got '",
                    term.options.front().first, "'");
  return entry.make_with(term.options);
}

}  // namespace limpid::detail

namespace limpid {

LIMPID_INLINE void check_content_network(const std::string& name) {
  std::set<std::string> known;
  kContentLosses.for_each([&](const auto& loss) {
    for (auto& network : loss.value.needs()) known.insert(std::move(network));
  });
  if (known.count(name) != 0) return;
  detail::refuse_name("a network that content losses look through", {known.begin(), known.end()},
                      name);
}

LIMPID_INLINE std::vector<std::string> content_networks(std::string_view text) {
  std::vector<std::string> needed;
  detail::for_each_content_term(text, [&](const WeightedName&, const ContentEntry& entry) {
    for (const auto& network : entry.needs()) {
      if (std::find(needed.begin(), needed.end(), network) == needed.end()) {
        needed.push_back(network);
      }
    }
  });
  return needed;
}

LIMPID_INLINE AnyContent content_by_name(std::string_view text, ContentNetworks& networks) {
  std::vector<WeightedLoss<AnyContent>> terms;
  detail::for_each_content_term(text, [&](const WeightedName& term, const ContentEntry& entry) {
    const auto needed = entry.needs();
    const bool whole = !needed.empty() && networks.holds(needed.front());
    for (const auto& network : needed) {
      TORCH_CHECK_VALUE(whole || networks.has(network), "content loss '", text, "', character ",
                        term.at, ": no weights of ", network, " are given");
    }
    terms.push_back(
        {term.weight, needed.empty() ? detail::make_plain(entry, term) : entry.make(networks)});
  });
  return AnySum{std::move(terms)};
}

LIMPID_INLINE AnyContent content_by_name(std::string_view text) {
  ContentNetworks none;
  return content_by_name(text, none);
}

}  // namespace limpid

#endif  // LIMPID_BODIES
