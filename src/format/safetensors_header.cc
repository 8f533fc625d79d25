#include "format/safetensors_header.h"

#include <fmt/format.h>

#include <unordered_set>

#include "base/json.h"
#include "litertlm/error.h"

namespace litertlm {
namespace {

constexpr std::string_view kMetadata = "__metadata__";
constexpr size_t kMaxRank = 16;

// {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …,
//  "__metadata__": {"key": "value", …}}
class HeaderReader : public nlohmann::json_sax<Json> {
 public:
  explicit HeaderReader(const std::string& file) : file_(file) {}

  std::vector<SafetensorsEntry> entries;

  bool start_object(size_t) override {
    if (++level_ > 2 || list_ != nullptr) Unexpected();
    if (level_ == 2 && !InMetadata()) entries.push_back({name_, {}, {}, {}});
    return true;
  }
  bool key(string_t& text) override {
    if (level_ == 2) {
      field_ = text;
      return true;
    }
    name_ = text;
    field_.clear();
    if (!names_.insert(name_).second) Fail("is described twice");
    return true;
  }
  bool end_object() override {
    if (level_-- == 2 && !InMetadata()) {
      const SafetensorsEntry& entry = entries.back();
      if (entry.dtype.empty() || !has_shape_ || entry.offsets.size() != 2) {
        Fail("is not described by dtype, shape and two data_offsets");
      }
      has_shape_ = false;
    }
    return true;
  }
  bool start_array(size_t) override {
    if (level_ != 2 || InMetadata() || list_ != nullptr) Unexpected();
    if (field_ == "shape" && !has_shape_) {
      has_shape_ = true;
      list_ = &entries.back().shape;
    } else if (field_ == "data_offsets" && entries.back().offsets.empty()) {
      list_ = &entries.back().offsets;
    } else {
      Unexpected();
    }
    return true;
  }
  bool end_array() override {
    list_ = nullptr;
    return true;
  }
  bool number_unsigned(number_unsigned_t number) override {
    if (list_ == nullptr || list_->size() == kMaxRank) Unexpected();
    list_->push_back(number);
    return true;
  }
  bool string(string_t& text) override {
    if (level_ != 2 || list_ != nullptr) Unexpected();
    if (InMetadata()) return true;
    if (field_ != "dtype" || !entries.back().dtype.empty()) Unexpected();
    entries.back().dtype = text;
    return true;
  }
  bool null() override { Unexpected(); }
  bool boolean(bool) override { Unexpected(); }
  bool number_integer(number_integer_t) override { Unexpected(); }
  bool number_float(number_float_t, const string_t&) override { Unexpected(); }
  bool binary(binary_t&) override { Unexpected(); }
  bool parse_error(size_t position, const std::string&, const Json::exception&) override {
    Throw(fmt::format("its header is not valid JSON at byte {}", position));
  }

 private:
  bool InMetadata() const { return name_ == kMetadata; }
  [[noreturn]] void Throw(const std::string& what) const {
    throw Error(ErrorCode::kBadInput, fmt::format("{}: {}.", file_, what),
                "The file is damaged or incomplete; download it again.");
  }
  [[noreturn]] void Fail(std::string_view what) const {
    Throw(fmt::format("tensor {} {}", name_, what));
  }
  [[noreturn]] void Unexpected() const {
    if (level_ == 0) Throw("its header is not a JSON object");
    if (field_.empty()) Fail("is not described by an object");
    Fail(fmt::format("has an unexpected value in its field \"{}\"", field_));
  }

  const std::string& file_;
  int level_ = 0;                          // Objects that are open.
  std::string name_;                       // The key of the outer object.
  std::string field_;                      // The key of the inner one.
  std::vector<uint64_t>* list_ = nullptr;  // What the open array is read into.
  bool has_shape_ = false;                 // A scalar's is empty, but there.
  std::unordered_set<std::string> names_;
};

}  // namespace

std::vector<SafetensorsEntry> ParseSafetensorsHeader(std::string_view json,
                                                     const std::string& file) {
  HeaderReader reader(file);
  Json::sax_parse(json.begin(), json.end(), &reader);
  return std::move(reader.entries);
}

}  // namespace litertlm
