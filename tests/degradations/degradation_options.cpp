#include <limpid/degradations/degradation_options.hpp>
#include <support/errors.hpp>

#include <boost/test/unit_test.hpp>

namespace {

struct Dimmed {
  limpid::Interval light{0.2, 0.4};

  static void each_option(auto& self, auto&& visit) { visit("light", self.light, "what is left"); }
  void check() const { TORCH_CHECK_VALUE(light.low() > 0, "light: expected above 0"); }
  at::Tensor operator()(const at::Tensor& image, limpid::Random& random) const {
    return image * light.draw(random);
  }
};

struct Unchecked {
  static void each_option(auto&, auto&&) {}
  at::Tensor operator()(const at::Tensor& image, limpid::Random&) const { return image; }
};

struct WithoutOptions {
  void check() const {}
  at::Tensor operator()(const at::Tensor& image, limpid::Random&) const { return image; }
};

static_assert(limpid::DegradationWithOptions<Dimmed>);
static_assert(!limpid::DegradationWithOptions<Unchecked>);
static_assert(!limpid::DegradationWithOptions<WithoutOptions>);

}  // namespace

BOOST_AUTO_TEST_SUITE(degradation_options)

BOOST_AUTO_TEST_CASE(a_degradation_of_the_users_takes_options_by_name) {
  Dimmed dimmed;
  limpid::set_option(dimmed, "light", "0.5:0.6");
  BOOST_TEST(limpid::options_text(dimmed) == "light 0.5:0.6");
  BOOST_TEST(limpid_test::value_error_of([&] {
               limpid::set_option(dimmed, "dark", "1");
             }).find("light") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
