#include <limpid/io/image.hpp>
#include <limpid/model/families.hpp>
#include <support/images.hpp>
#include <support/restore_place.hpp>
#include <support/run_program.hpp>

#include <torch/torch.h>
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <unistd.h>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

// limpid-restore with pipes, videos, watched folders, and before and after.
namespace {

using namespace limpid_test;
namespace fs = std::filesystem;
using Names = std::vector<std::string>;

struct Place : RestorePlace {
  Ended restore_input(const std::string& bytes, const Names& more) const {
    write_bytes(folder / "piped", bytes);
    return run(command(more),
               [file = path("piped")] { ::dup2(::open(file.c_str(), O_RDONLY), STDIN_FILENO); });
  }
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// What a shell prints.
std::string said(const std::string& command) {
  auto* pipe = ::popen(command.c_str(), "r");
  std::string text;
  std::array<char, 4096> part;
  while (const auto count = std::fread(part.data(), 1, part.size(), pipe)) {
    text.append(part.data(), count);
  }
  ::pclose(pipe);
  return text;
}

bool have_ffmpeg() {
  if (std::system("ffmpeg -version > /dev/null 2>&1 && ffprobe -version > /dev/null 2>&1") == 0) {
    return true;
  }
  BOOST_TEST_MESSAGE("SKIPPED: ffmpeg is not installed");
  return false;
}

/// When each frame is shown.
std::string times_of(const std::string& video) {
  return said("ffprobe -v error -select_streams v:0 -show_entries frame=pts_time -of csv=p=0 '" +
              video + "' | tr -d ','");
}

std::string sound_of(const std::string& video) {
  return said("ffprobe -v error -select_streams a:0 -show_entries packet=pts_time,data_hash " +
              std::string{"-show_data_hash md5 -of csv=p=0 '"} + video + "'");
}

BOOST_AUTO_TEST_SUITE(streams)

BOOST_AUTO_TEST_CASE(a_picture_goes_through_pipes_in_its_own_format) {
  const Place place;
  save(picture(24, 40), place.folder / "a.png");
  BOOST_REQUIRE(place.restore({"--out", place.path("out"), place.path("a.png")}).code == 0);
  const auto png = place.restore_input(read_bytes(place.folder / "a.png"), {"-"});
  BOOST_TEST(png.code == 0, png.err);
  BOOST_TEST((limpid::Image::decode(png.out, "stdout") ==
              limpid::Image::load(place.folder / "out/a.png")));
  const auto jpeg = place.restore_input(picture(24, 40).encoded("jpg"), {"-"});
  BOOST_TEST(jpeg.out.substr(0, 2) == "\xff\xd8", jpeg.err);
  const auto asked = place.restore_input(picture(24, 40).encoded("jpg"), {"--format", "png", "-"});
  BOOST_TEST(asked.out.substr(1, 3) == "PNG", asked.err);
  const auto none = place.restore_input("no picture", {"-"});
  BOOST_TEST(none.code == 1);
  BOOST_TEST(none.out == "");
  BOOST_TEST(has(none.err, "'standard input'"), none.err);
}

BOOST_AUTO_TEST_CASE(raw_frames_go_through_pipes_and_an_incomplete_one_is_said) {
  const Place place;
  const auto first = picture(20, 36), second = picture(20, 36, 1);
  const auto bytes_of = [](const limpid::Image& image) {
    return std::string{reinterpret_cast<const char*>(image.data()), 3 * 20 * 36};
  };
  save(second, place.folder / "second.png");
  BOOST_REQUIRE(place.restore({"--out", place.path("out"), place.path("second.png")}).code == 0);
  const auto whole = place.restore_input(bytes_of(first) + bytes_of(second), {"--raw", "36x20"});
  BOOST_TEST(whole.code == 0, whole.err);
  BOOST_REQUIRE(whole.out.size() == 2u * 3 * 20 * 36);
  const auto there = limpid::Image::load(place.folder / "out/second.png");
  BOOST_TEST((whole.out.substr(3 * 20 * 36) == bytes_of(there)));
  const auto cut = place.restore_input(bytes_of(first) + "123", {"--raw", "36x20", "-"});
  BOOST_TEST(cut.code == 1);
  BOOST_TEST(cut.out.size() == 1u * 3 * 20 * 36);
  BOOST_TEST(has(cut.err,
                 "standard input: expected frames of 2160 bytes (36 x 20, rgb24), and it "
                 "ended 3 bytes into one"),
             cut.err);
  BOOST_TEST(place.restore_input("", {"--raw", "36x20"}).code == 1);
  for (const Names& words :
       {Names{"--raw", "36"}, Names{"--raw", "36x"}, Names{"--raw", "0x20"},
        Names{"--raw", "36x20", "a.png"}, Names{"-", "a.png"}, Names{"--json", "a.json", "-"}}) {
    BOOST_TEST(place.restore_input("", words).code == 2);
  }
}

BOOST_AUTO_TEST_CASE(before_and_after_are_shown_side_by_side_or_on_a_page) {
  const Place place;
  save(picture(24, 40), place.folder / "in/a.png");
  save(picture(24, 40, 1), place.folder / "in/b.png");
  const auto side = place.restore({"--out", place.path("one"), "--compare", place.path("in")});
  BOOST_TEST(side.code == 0, side.err);
  const auto shown = limpid::Image::load(place.folder / "one/a.compare.jpg");
  BOOST_TEST(shown.width() == 2 * 40 + 6);
  BOOST_TEST(shown.height() == 24);
  const auto page = place.restore(
      {"--compare", place.path("page.html"), "--out", place.path("two"), place.path("in")});
  BOOST_TEST(page.code == 0, page.err);
  const auto html = read_bytes(place.folder / "page.html");
  BOOST_TEST(has(html, "How much of a.png shows"));
  BOOST_TEST(has(html, "How much of b.png shows"));
  BOOST_TEST(!fs::exists(place.folder / "two/a.compare.jpg"));
  const auto word = place.restore({"--compare", "page", place.path("in")});
  BOOST_TEST(word.code == 2);
  BOOST_TEST(has(word.err, "expected a page, NAME.html, or a picture that is there, got 'page'"),
             word.err);
}

BOOST_AUTO_TEST_CASE(a_watched_folder_is_restored_as_pictures_arrive_whole) {
  const Place place;
  save(picture(24, 40), place.folder / "in/old.png");
  save(picture(24, 40), place.folder / "in/done.png");
  write_bytes(place.folder / "out/done.png", "mine");
  Running watching{place.command({"--watch", place.path("in"), "--out", place.path("out")})};
  BOOST_TEST(watching.wait_until([&] { return fs::exists(place.folder / "out/old.png"); }),
             watching.err());
  const auto png = picture(32, 48).encoded("png");
  std::ofstream slow{place.folder / "in/slow.png", std::ios::binary};
  slow << png.substr(0, png.size() / 2) << std::flush;
  // A writer that stalls is taken for a bad picture at worst, and for a whole one once it is.
  BOOST_TEST(watching.wait_until([&] { return has(watching.err(), "slow.png'"); }));
  slow << png.substr(png.size() / 2) << std::flush;
  BOOST_TEST(watching.wait_until([&] { return fs::exists(place.folder / "out/slow.png"); }),
             watching.err());
  BOOST_TEST(limpid::Image::load(place.folder / "out/slow.png").width() == 48);
  watching.send(SIGINT);
  const auto ended = watching.wait();
  BOOST_TEST(ended.code == 0, ended.err);
  BOOST_TEST(has(ended.err, "restored 2 pictures"), ended.err);
  BOOST_TEST(read_bytes(place.folder / "out/done.png") == "mine");
}

BOOST_AUTO_TEST_CASE(a_video_keeps_sound_and_the_time_of_each_frame_and_stands_upright) {
  if (!have_ffmpeg()) return;
  const Place place;
  // Frames of unequal length, lying on its side, sound from the start, the picture a little later.
  BOOST_REQUIRE(
      std::system(("cd '" + place.folder.path().string() +
                   "' && ffmpeg -v error -f lavfi -i testsrc2=size=64x48:rate=30000/1001:duration=1"
                   " -f lavfi -i sine=duration=1.2 -vf \"select='not(mod(n,3))+gt(n,15)'\""
                   " -fps_mode passthrough -c:v libx264 -pix_fmt yuv420p -colorspace bt709"
                   " -color_primaries bt709 -color_trc bt709 -c:a aac plain.mp4"
                   " && ffmpeg -v error -itsoffset 0.5 -i plain.mp4 -i plain.mp4 -map 0:v -map 1:a"
                   " -c copy -metadata:s:v rotate=90 -metadata title=Mine in.mp4")
                      .c_str()) == 0);
  const auto in = place.path("in.mp4"), out = place.path("in.restored.mp4");
  const auto ended = place.restore({in, "--json", "-"});
  BOOST_REQUIRE_MESSAGE(ended.code == 0, ended.err);
  BOOST_TEST(times_of(out) == times_of(in));
  BOOST_TEST(has(times_of(out), "0.5"));
  BOOST_TEST(sound_of(out) == sound_of(in));
  const auto facts = said(
      "ffprobe -v error -select_streams v:0 -show_entries stream=width,height,color_space:"
      "format_tags=title -of json '" +
      out + "'");
  BOOST_TEST(has(facts, "\"bt709\""), facts);
  BOOST_TEST(has(facts, "\"Mine\""), facts);
  const auto video = nlohmann::json::parse(ended.out).at("videos").at(0);
  const auto turned =
      said("ffprobe -v error -show_entries stream_side_data=rotation -of csv=p=0 '" + in + "'");
  if (has(turned, "90")) BOOST_TEST(video.at("width") == 48);
  BOOST_TEST(place.restore({in}).code == 1, "what is there stays");
  BOOST_TEST(place.restore({"--skip-existing", in}).code == 0);
}

BOOST_AUTO_TEST_CASE(a_video_that_is_interrupted_or_cannot_be_read_leaves_nothing) {
  const Place place;
  write_bytes(place.folder / "bad.mp4", std::string{"\0\0\0\x18"
                                                    "ftypisom",
                                                    12} +
                                            "no more");
  const auto missing =
      run(place.command({place.path("bad.mp4")}), [] { ::setenv("PATH", "/nonexistent", 1); });
  BOOST_TEST(missing.code == 1);
  BOOST_TEST(has(missing.err, "ffmpeg, which is not installed (Debian: apt-get install ffmpeg)"),
             missing.err);
  if (!have_ffmpeg()) return;
  const auto bad = place.restore({place.path("bad.mp4")});
  BOOST_TEST(bad.code == 1);
  BOOST_TEST(has(bad.err, "cannot read video '" + place.path("bad.mp4")), bad.err);
  BOOST_REQUIRE(std::system(("ffmpeg -v error -f lavfi -i testsrc2=size=320x240:duration=60 '" +
                             place.path("long.mp4") + "'")
                                .c_str()) == 0);
  Running running{place.command({place.path("long.mp4")})};
  BOOST_TEST(running.wait_until([&] { return has(running.err(), "frame "); }), running.err());
  std::this_thread::sleep_for(std::chrono::milliseconds{300});
  running.send(SIGTERM);
  const auto ended = running.wait();
  BOOST_TEST(ended.code == 128 + SIGTERM);
  BOOST_TEST(has(ended.err, "interrupted"), ended.err);
  for (const auto& entry : fs::directory_iterator{place.folder.path()}) {
    const auto name = entry.path().filename().string();
    BOOST_TEST((name == "long.mp4" || name == "bad.mp4" || name == "model.limpid"), name);
  }
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace
