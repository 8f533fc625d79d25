#include "engine/thought_splitter.h"

#include <utility>

#include "engine/stop_matcher.h"

namespace litertlm {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n";

size_t LeadingSpace(std::string_view text) {
  return std::min(text.find_first_not_of(kWhiteSpace), text.size());
}

size_t LengthWithoutTrailingSpace(std::string_view text) {
  return text.find_last_not_of(kWhiteSpace) + 1;  // npos + 1 is 0.
}

}  // namespace

ThoughtSplitter::ThoughtSplitter(ThoughtMarkers markers, std::function<void(const TextChunk&)> emit)
    : markers_(std::move(markers)),
      emit_(std::move(emit)),
      place_(markers_.begin.empty() ? Place::kReply : Place::kStart) {}

void ThoughtSplitter::Push(std::string_view text) {
  held_ += text;
  while (!held_.empty() && Step()) {
  }
}

void ThoughtSplitter::Flush() {
  if (place_ == Place::kThought) held_.resize(LengthWithoutTrailingSpace(held_));
  if (place_ == Place::kStart) place_ = Place::kReply;
  if (place_ == Place::kThought || place_ == Place::kReply) Emit(held_.size());
}

// Deals with the beginning of what is held; false when more text is needed to go on.
bool ThoughtSplitter::Step() {
  switch (place_) {
    case Place::kStart: {
      const std::string_view text = std::string_view(held_).substr(LeadingSpace(held_));
      if (text.starts_with(markers_.begin)) {
        held_.erase(0, held_.size() - text.size() + markers_.begin.size());
        place_ = Place::kThoughtStart;
        return true;
      }
      if (markers_.begin.starts_with(text)) return false;
      place_ = Place::kReply;
      return true;
    }
    case Place::kThoughtStart:
    case Place::kReplyStart:
      held_.erase(0, LeadingSpace(held_));
      if (held_.empty()) return false;
      place_ = place_ == Place::kThoughtStart ? Place::kThought : Place::kReply;
      return true;
    case Place::kThought: {
      const size_t end = held_.find(markers_.end);
      if (end != std::string::npos) {
        Emit(LengthWithoutTrailingSpace(std::string_view(held_).substr(0, end)));
        held_.erase(0, held_.find(markers_.end) + markers_.end.size());
        place_ = Place::kReplyStart;
        return true;
      }
      const size_t certain = held_.size() - Overlap(held_, markers_.end);
      Emit(LengthWithoutTrailingSpace(std::string_view(held_).substr(0, certain)));
      return false;
    }
    case Place::kReply:
      Emit(held_.size());
      return false;
  }
  return false;
}

void ThoughtSplitter::Emit(size_t length) {
  if (length == 0) return;
  const std::string text = held_.substr(0, length);
  held_.erase(0, length);
  emit_({text, place_ == Place::kThought});
}

}  // namespace litertlm
