#include <limpid/report/report.hpp>

#include <limpid/report/models_beside.hpp>
#include <limpid/report/report_table.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>

#include <unistd.h>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

using limpid::Image, limpid::Report, limpid::report_html, limpid::ReportTask;

namespace fs = std::filesystem;

Image flat(double value, std::int64_t height = 16, std::int64_t width = 24) {
  return Image::from_unit(torch::full({1, 3, height, width}, value / 255));
}

Report small_report(const std::string& name) {
  ReportTask task{limpid::TaskEvaluation{"deblur"}};
  const auto degraded = flat(110), restored = flat(101), target = flat(100);
  task.evaluation.add(name, degraded.unit(), restored.unit(), target.unit());
  task.pictures.push_back({name, degraded, restored, target});
  task.plots.push_back({"Training loss", "step", "loss", {{"content", {0, 10}, {1, 0.5}}}});
  Report report;
  report.title = "Trial " + name;
  report.summary = "One picture.";
  report.warnings = {"Only one picture."};
  report.tasks = {task, ReportTask{limpid::TaskEvaluation{"derain"}}};
  report.plots = {{"Speed", "step", "images/s", {{"images/s", {0, 10}, {8, 9}}}}};
  report.facts = {{"threads", "2"},
                  {"command", "limpid-train --recipe quickstart\n --out " + name, true}};
  report.notes = {"A note."};
  report.tables = {{.title = "Sharing " + name,
                    .caption = "A caption.",
                    .columns = {"Task", "difference"},
                    .groups = {{.heading = "Group " + name,
                                .rows = {{{"deblur", "its note"}, {"-0.25", "", "worse"}}}}}}};
  return report;
}

/// What is wrong with the tags of a page: nothing, if each one that opens is closed in order.
std::string tag_fault(const std::string& page) {
  const std::vector<std::string> empty_tags{"meta", "img", "input", "br", "!DOCTYPE"};
  std::vector<std::string> open;
  for (std::size_t i = 0; i < page.size();) {
    if (page[i] != '<') {
      ++i;
      continue;
    }
    auto end = i + 1;
    for (char quote = 0; end < page.size() && (quote != 0 || page[end] != '>'); ++end) {
      if (quote != 0 && page[end] == quote) {
        quote = 0;
      } else if (quote == 0 && page[end] == '"') {
        quote = '"';
      } else if (page[end] == '<') {
        return "a bare < in " + page.substr(i, 40);
      }
    }
    const auto tag = page.substr(i + 1, end - i - 1);
    i = end + 1;
    const bool closes = tag.front() == '/';
    const auto name = tag.substr(closes, tag.find_first_of(" /\n", 1) - closes);
    if (closes) {
      if (open.empty() || open.back() != name) return "</" + name + "> closes nothing";
      open.pop_back();
    } else if (tag.back() != '/' &&
               std::find(empty_tags.begin(), empty_tags.end(), name) == empty_tags.end()) {
      open.push_back(name);
      if (name == "style" || name == "script") i = page.find("</" + name, i);
    }
  }
  return open.empty() ? "" : "<" + open.back() + "> stays open";
}

std::size_t count(const std::string& text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

/// The bytes behind each data URL of a page.
std::vector<std::string> embedded(const std::string& page) {
  constexpr std::string_view start = "data:image/jpeg;base64,";
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<std::string> files;
  for (auto at = page.find(start); at != std::string::npos; at = page.find(start, at)) {
    at += start.size();
    std::string bytes;
    std::uint32_t bits = 0;
    int held = 0;
    for (; page[at] != '"' && page[at] != '='; ++at) {
      const auto digit = digits.find(page[at]);
      if (digit == std::string_view::npos) return {};
      bits = bits << 6 | static_cast<std::uint32_t>(digit);
      if ((held += 6) >= 8) bytes += static_cast<char>(bits >> (held -= 8) & 255);
    }
    files.push_back(bytes);
  }
  return files;
}

BOOST_AUTO_TEST_SUITE(report)

BOOST_AUTO_TEST_CASE(the_page_is_well_formed_and_needs_nothing_else) {
  const auto page = report_html(small_report("a.png"));
  BOOST_TEST(tag_fault(page) == "");
  BOOST_TEST(count(page, "<h1>") == 1u);
  BOOST_TEST(count(page, "lang=\"en\"") == 1u);
  BOOST_TEST(count(page, "http://") + count(page, "https://") + count(page, "url(") == 0u);
  BOOST_TEST(count(page, "<link") + count(page, "@import") + count(page, " href=\"/") == 0u);
  BOOST_TEST(count(page, "src=\"") == count(page, "src=\"data:image/jpeg;base64,"));
  BOOST_TEST(count(page, "<img ") == 3u);
  BOOST_TEST(count(page, " alt=\"") == 3u);
  BOOST_TEST(count(page, "type=\"range\"") == 1u);
}

BOOST_AUTO_TEST_CASE(the_page_shows_what_went_in_beside_what_came_out) {
  const auto page = report_html(small_report("a.png"));
  BOOST_TEST(count(page, ">28.13<span") == 1u);
  BOOST_TEST(count(page, ">48.13<span") == 1u);
  BOOST_TEST(count(page, ">+20.00<span class=\"pill better\">better</span>") == 2u, "RGB and Y");
  BOOST_TEST(count(page,
                   "degraded 28.13\xc2\xa0"
                   "dB, restored 48.13\xc2\xa0"
                   "dB (+20.00)") == 1u);
  BOOST_TEST(count(page, "Only one picture.") == 1u);
  BOOST_TEST(count(page, "<dt>threads</dt><dd>2</dd>") == 1u);
  BOOST_TEST(count(page, "11 x 11 Gaussian window") == 1u);
}

BOOST_AUTO_TEST_CASE(embedded_pictures_are_the_pictures) {
  const auto files = embedded(report_html(small_report("a.png")));
  BOOST_REQUIRE(files.size() == 3u);
  const std::vector<double> values{110, 101, 100};
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto image = Image::decode(files[i], "embedded");
    BOOST_TEST(image.height() == 16);
    BOOST_TEST(image.width() == 24);
    BOOST_TEST(std::abs(image.pixels().to(torch::kDouble).mean().item<double>() - values[i]) < 2);
  }
}

BOOST_AUTO_TEST_CASE(large_pictures_are_shown_smaller) {
  auto report = small_report("a.png");
  report.tasks[0].pictures[0] = {"wide", flat(110, 30, 90), flat(101, 30, 90), flat(100, 30, 90)};
  const auto page = report_html(report, limpid::ReportOptions{.max_side = 45});
  BOOST_TEST(count(page, "<img width=\"45\" height=\"15\"") == 3u);
}

BOOST_AUTO_TEST_CASE(hostile_names_stay_text) {
  const std::string name = "\"><script>alert('x')</script><img src=x onerror=y>&amp;\xff.png";
  const auto plain = report_html(small_report("a.png")), page = report_html(small_report(name));
  BOOST_TEST(tag_fault(page) == "");
  BOOST_TEST(count(page, "<script>") == count(plain, "<script>"));
  BOOST_TEST(count(page, "<img ") == count(plain, "<img "));
  BOOST_TEST(count(page, "\xff") == 0u);
  BOOST_TEST(count(page, "&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;") > 4u);
}

BOOST_AUTO_TEST_CASE(gains_are_judged_by_the_metrics_direction) {
  struct Error {
    std::string_view name = "error", protocol = "made for this test, lower is better";
    bool higher_is_better = false;
    double operator()(const at::Tensor&, const at::Tensor&) const { return 0; }
  };
  const limpid::AnyMetric error = Error{}, psnr = limpid::PSNR<>{};
  BOOST_TEST(limpid::detail::verdict(error, -0.3) == "better");
  BOOST_TEST(limpid::detail::verdict(error, 0.3) == "worse");
  BOOST_TEST(limpid::detail::verdict(psnr, 5) == "better");
  BOOST_TEST(limpid::detail::verdict(psnr, -5) == "worse");
  BOOST_TEST(limpid::detail::verdict(psnr, 0.001) == "same", "as the two decimals say");
  BOOST_TEST(limpid::detail::verdict(psnr, -0.001) == "same");
  BOOST_TEST(limpid::detail::verdict(psnr, NAN) == "unknown");
}

BOOST_AUTO_TEST_CASE(the_page_says_over_how_many_pictures_a_gain_is_and_what_it_leaves_out) {
  auto report = small_report("a.png");
  auto& evaluation = report.tasks[0].evaluation;
  const auto plain = [](double value) { return flat(value, 16, 24).unit(); };
  evaluation.add("was exact", plain(100), plain(101), plain(100));
  const auto tiny = flat(100, 6, 6).unit();
  evaluation.add("tiny", tiny, tiny, tiny);
  const auto page = report_html(report);
  BOOST_TEST(tag_fault(page) == "");
  BOOST_TEST(count(page,
                   "+20.00<span class=\"pill better\">better</span><span "
                   "class=\"spread\">over 1 of 3, 2 exact</span>") == 2u);
  BOOST_TEST(count(page, "over 2 of 3, 1 without a score") > 0u);
  BOOST_TEST(count(page, ", gain over 1 of 3 pictures") == 1u);
  BOOST_TEST(count(page, "(exact before, 48.13 after)") == 1u);
  BOOST_TEST(count(page, "&#39;tiny&#39; (SSIMGaussian: expected sides of at least 11") > 0u);
  for (const auto* text : {">nan", ">inf", ">-inf", "-inf", "null"}) {
    BOOST_TEST(count(page, text) == 0u, text);
  }
}

BOOST_AUTO_TEST_CASE(a_table_names_rows_columns_and_verdicts) {
  auto report = small_report("a");
  const auto page = report_html(report);
  const auto has = [&](const char* text) {
    BOOST_TEST((page.find(text) != std::string::npos), "the page has no " << text);
  };
  has("<h2 id=\"table1\">Sharing a</h2>");
  has("<caption>A caption.</caption>");
  has("<th scope=\"col\">difference</th>");
  has("colspan=\"2\" scope=\"rowgroup\">Group a</th>");
  has("<th scope=\"row\">deblur<span class=\"spread\">its note</span></th>");
  has("<td class=\"gain worse\">-0.25<span class=\"pill worse\">worse</span></td>");
  has("<ul class=\"tiles\">");
  report.tiles = false;
  BOOST_TEST((report_html(report).find("<ul class=\"tiles\">") == std::string::npos));
}

BOOST_AUTO_TEST_CASE(an_empty_report_is_still_a_page) {
  BOOST_TEST(tag_fault(report_html(Report{})) == "");
}

BOOST_AUTO_TEST_CASE(writes_one_file_and_makes_its_folders) {
  const auto root = fs::temp_directory_path() / ("limpid_report_" + std::to_string(::getpid()));
  const auto path = root / "a" / "index.html";
  limpid::write_report(path, small_report("a.png"));
  std::ifstream stream{path, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{stream}, {}};
  BOOST_TEST((text == report_html(small_report("a.png"))));
  BOOST_TEST(std::distance(fs::directory_iterator{path.parent_path()}, {}) == 1);
  BOOST_CHECK_EXCEPTION(
      limpid::write_report(path / "b.html", Report{}), c10::Error, [&](const c10::Error& error) {
        return std::string_view{error.what_without_backtrace()}.find((path / "b.html").string()) !=
               std::string_view::npos;
      });
  fs::remove_all(root);
}

BOOST_AUTO_TEST_CASE(models_stand_side_by_side_and_one_may_lack_a_task) {
  const auto scored = [](const std::string& task, double restored) {
    limpid::TaskEvaluation scores{task};
    scores.add("a", flat(110).unit(), flat(100 + restored).unit(), flat(100).unit());
    return scores;
  };
  const std::vector<limpid::TaskEvaluation> own{scored("deblur", 5), scored("derain", 1)};
  const std::vector<limpid::ModelScores> others{{"other", {scored("deblur", 20)}}};
  const auto table = limpid::beside_table(own, others);
  BOOST_TEST(table.columns == (std::vector<std::string>{"", "degraded", "restored", "other"}),
             boost::test_tools::per_element());
  // PSNR of errors of 10, 5 and 20 levels: 20 log10(255 / error).
  const auto& psnr = table.groups.at(0).rows.at(0);
  BOOST_TEST(psnr.at(1).text == "28.13");
  BOOST_TEST((psnr.at(2).text == "34.15" && psnr.at(2).note == "+6.02"));
  BOOST_TEST((psnr.at(3).text == "22.11" && psnr.at(3).note == "-6.02"));
  BOOST_TEST(table.groups.at(1).rows.at(0).at(3).text == "no such task");
  const auto text = text_table(table);
  for (const auto* part : {"degraded", " 34.15 +6.02 ", " 22.11 -6.02\n", "no such task"}) {
    BOOST_TEST(text.find(part) != std::string::npos, text);
  }
  BOOST_TEST(limpid::beside_table(own, others, "tuned").columns.at(2) == "tuned");
  const auto gain = to_json(others)["other"]["deblur"]["psnr_rgb"]["gain"].get<double>();
  BOOST_TEST(gain == -6.0206, boost::test_tools::tolerance(1e-4));
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
