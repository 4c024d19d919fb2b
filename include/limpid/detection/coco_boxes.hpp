#pragma once

#include <limpid/core/fail.hpp>
#include <limpid/core/json_text.hpp>
#include <limpid/core/printable.hpp>
#include <limpid/detection/average_precision.hpp>
#include <limpid/io/json_file.hpp>

#include <c10/util/Exception.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace limpid {

/// The boxes of one picture.
struct PictureBoxes {
  std::string file_name;   ///< as the file of boxes has it
  std::int64_t width = 0;  ///< of the picture, pixels; 0 where it is not given
  std::int64_t height = 0;
  std::vector<LabelledBox> boxes{};
};

/// True boxes of pictures, from a JSON file in COCO's format.
///
/// Read are `images` (`id`, `file_name`, `width`, `height`), `annotations` (`image_id`,
/// `category_id`, `bbox` as x, y, width, height in pixels, `iscrowd`, and `difficult` where VOC's
/// boxes were converted) and `categories` (`id`, `name`).
/// Source: Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, and its data format.
class CocoBoxes {
 public:
  /// @throws c10::Error that names the file and the entry that is missing or malformed.
  explicit CocoBoxes(const std::filesystem::path& file) : source_("boxes '" + file.string() + "'") {
    const auto json = read_json(file, "boxes");
    try {
      read(json);
    } catch (const nlohmann::json::exception& error) {
      limpid::fail(source_, ": expected COCO's images, annotations and categories (",
                   printable(error.what()), ")");
    }
  }

  /// The boxes of the picture called `name`, with or without folders and extension.
  /// @throws c10::Error if the file has no such picture, or several.
  const PictureBoxes& of(const std::string& name) const {
    auto found = by_name_.find(name);
    if (found == by_name_.end()) {
      found = by_stem_.find(name);  // a name without extension may have dots
      if (found == by_stem_.end()) found = by_stem_.find(stem(name));
      TORCH_CHECK(found != by_stem_.end(), source_, ": it has no picture called '", name, "'");
    }
    const auto& ids = found->second;
    TORCH_CHECK(ids.size() == 1, source_, ": '", name, "' is one of '",
                pictures_.at(ids[0]).file_name, "' and '", pictures_.at(ids.back()).file_name, "'");
    return pictures_.at(ids[0]);
  }

  /// The names of the classes, by their ids.
  const std::map<std::int64_t, std::string>& categories() const { return categories_; }

  /// How many boxes are crowd regions.
  std::int64_t crowds() const { return crowds_; }

 private:
  static std::string stem(const std::string& name) {
    return std::filesystem::path{name}.stem().string();
  }

  void read(const nlohmann::json& json) {
    for (const auto& category : json.value("categories", nlohmann::json::array())) {
      const auto id = category.at("id").get<std::int64_t>();
      categories_[id] = category.value("name", std::to_string(id));
    }
    for (const auto& image : json.at("images")) {
      const auto id = image.at("id").get<std::int64_t>();
      PictureBoxes picture{image.at("file_name").get<std::string>(),
                           image.value("width", std::int64_t{0}),
                           image.value("height", std::int64_t{0})};
      by_name_[picture.file_name].push_back(id);
      by_stem_[stem(picture.file_name)].push_back(id);
      TORCH_CHECK(pictures_.emplace(id, std::move(picture)).second, source_,
                  ": two images have id ", id);
    }
    for (const auto& annotation : json.at("annotations")) add(annotation);
  }

  /// A flag as pycocotools takes it: 0 and 1, false and true; false where it is not there.
  bool flag(const nlohmann::json& annotation, const std::string& name) const {
    const auto found = annotation.find(name);
    if (found == annotation.end()) return false;
    if (found->is_boolean()) return found->get<bool>();
    TORCH_CHECK(found->is_number() && (*found == 0 || *found == 1), source_, ": expected ", name,
                " 0, 1, false or true, found ", json_excerpt(*found));
    return *found == 1;
  }

  void add(const nlohmann::json& annotation) {
    const auto image = annotation.at("image_id").get<std::int64_t>();
    const auto picture = pictures_.find(image);
    TORCH_CHECK(picture != pictures_.end(), source_, ": an annotation is of image ", image,
                ", which it does not have");
    const auto& box = annotation.at("bbox");
    TORCH_CHECK(box.is_array() && box.size() == 4, source_,
                ": expected bbox as [x, y, width, height], found ", json_excerpt(box));
    const auto x = box[0].get<double>(), y = box[1].get<double>(), w = box[2].get<double>(),
               h = box[3].get<double>();
    TORCH_CHECK(std::isfinite(x + y + w + h) && w >= 0 && h >= 0, source_,
                ": expected bbox as [x, y, width, height], found ", json_excerpt(box));
    const auto category = annotation.at("category_id").get<std::int64_t>();
    categories_.emplace(category, std::to_string(category));
    const auto crowd = flag(annotation, "iscrowd");
    if (crowd) ++crowds_;
    picture->second.boxes.push_back(
        {{x, y, x + w, y + h}, category, crowd, flag(annotation, "difficult")});
  }

  using Keys = std::map<std::string, std::vector<std::int64_t>>;

  std::string source_;
  std::map<std::int64_t, PictureBoxes> pictures_;
  Keys by_name_, by_stem_;
  std::map<std::int64_t, std::string> categories_;
  std::int64_t crowds_ = 0;
};

}  // namespace limpid
