#include <algorithm>

#include "core/expect.h"
#include "kernels/kernels.h"
#include "models/transformer/stack.h"

namespace attnengine {
namespace {

// A source with room for the keys and values of every cross-attention.
std::shared_ptr<EncodedSource> new_source(const Run& run, ConstMatrix states, PageHeads heads) {
  auto source = std::make_shared<EncodedSource>();
  const std::int64_t size = run.length * states.cols, pages = pages_of(run.length);
  source->length = run.length;
  source->size = states.cols;
  std::copy_n(states[run.first], size, source->states.floats(size));
  const std::byte* keys = source->keys.bytes(pages * heads.bytes());
  for (std::int64_t page = 0; page < pages; ++page)
    source->pages.push_back(keys + page * heads.bytes());
  return source;
}

}  // namespace

void TransformerDecoder::check_reads(std::int64_t encoder_size) const {
  if (!stack_.has_cross_attention())
    throw InvalidArgument("the decoder has no cross_attention, expected one to read the encoder");
  expect_equal(stack_.hidden_size(), encoder_size, "the decoder's hidden size");
}

std::vector<std::shared_ptr<const EncodedSource>> TransformerDecoder::sources(
    ConstMatrix states, const Ragged& ragged) const {
  const auto num_layers = static_cast<std::int64_t>(stack_.layers.size());
  const PageHeads heads = stack_.source_heads(cache_);
  const PageHeads all{num_layers * heads.count, heads.head_dim, cache_};
  std::vector<std::shared_ptr<EncodedSource>> sources(ragged.count());
  std::vector<PageCell> cells(states.rows);
  for (const Run& run : ragged.runs()) {
    sources[run.index] = new_source(run, states, all);
    std::byte* keys = sources[run.index]->keys.bytes(0);
    for (std::int64_t t = 0; t < run.length; ++t)
      cells[run.first + t] = {keys + t / kPage * all.bytes(), t % kPage};
  }
  Buffer buffer;
  const Matrix keys_values = buffer.matrix(states.rows, 2 * heads.count * heads.head_dim);
  for (std::int64_t layer = 0; layer < num_layers; ++layer) {
    (*stack_.layers[layer].cross_attention.key_value)(states, keys_values);
    kernels().store_keys_values(constant(keys_values), heads, cells.data(), layer * heads.bytes());
  }
  return {sources.begin(), sources.end()};
}

TransformerSeq2Seq::TransformerSeq2Seq(std::shared_ptr<const TransformerEncoder> encoder,
                                       std::shared_ptr<const TransformerDecoder> decoder)
    : Seq2Seq(decoder), encoder_(std::move(encoder)), transformer_decoder_(std::move(decoder)) {
  transformer_decoder_->check_reads(encoder_->output_size());
}

Seq2Seq::Sources TransformerSeq2Seq::encode_sentences(const std::int32_t* tokens, std::int64_t rows,
                                                      const Ragged& ragged) const {
  Buffer buffer;
  const Matrix states = buffer.matrix(rows, encoder_size());
  encoder_->run(tokens, ragged, states);
  return transformer_decoder_->sources(constant(states), ragged);
}

}  // namespace attnengine
