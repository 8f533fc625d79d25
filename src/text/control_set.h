// The control tokens of a tokenizer.
#ifndef LITERTLM_TEXT_CONTROL_SET_H_
#define LITERTLM_TEXT_CONTROL_SET_H_

#include <cstddef>
#include <vector>

#include "text/tokenizer.h"

namespace litertlm {

class ControlSet {
 public:
  void Add(TokenId id) {
    const auto index = static_cast<size_t>(id);
    if (index >= has_.size()) has_.resize(index + 1);
    has_[index] = true;
  }
  bool Has(TokenId id) const {
    const auto index = static_cast<size_t>(id);  // Huge for -1.
    return index < has_.size() && has_[index];
  }

 private:
  std::vector<bool> has_;  // By id.
};

}  // namespace litertlm

#endif  // LITERTLM_TEXT_CONTROL_SET_H_
