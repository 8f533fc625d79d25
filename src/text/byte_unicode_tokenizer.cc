#include "text/byte_unicode_tokenizer.h"

#include <utility>

#include "base/utf8.h"
#include "text/byte_piece.h"
#include "text/hf_pipeline.h"

namespace litertlm {
namespace {

class ByteUnicodeTokenizer : public Tokenizer {
 public:
  explicit ByteUnicodeTokenizer(std::unique_ptr<Tokenizer> pieces) : pieces_(std::move(pieces)) {}

  using Tokenizer::Encode;
  void Encode(std::string_view text, ControlTokens control,
              std::vector<TokenId>& ids) const override {
    CheckTextSize(text);
    // Names of control tokens are printable ASCII, which stands for itself.
    std::string spelled;
    for (const char c : ReplaceInvalidUtf8(text)) {
      spelled += ByteLevelChar(static_cast<unsigned char>(c));
    }
    pieces_->Encode(spelled, control, ids);
  }

  std::string TokenBytes(TokenId id) const override {
    std::string piece = pieces_->TokenBytes(id);
    return IsControl(id) ? piece : BytesOfStandIns(std::move(piece));
  }

  std::optional<TokenId> Find(std::string_view piece) const override {
    return pieces_->Find(piece);
  }
  bool IsControl(TokenId id) const override { return pieces_->IsControl(id); }
  void MarkControl(TokenId id) override { pieces_->MarkControl(id); }
  int size() const override { return pieces_->size(); }

 private:
  std::unique_ptr<Tokenizer> pieces_;
};

}  // namespace

std::unique_ptr<Tokenizer> SpellBytesAsUnicode(std::unique_ptr<Tokenizer> pieces) {
  return std::make_unique<ByteUnicodeTokenizer>(std::move(pieces));
}

}  // namespace litertlm
