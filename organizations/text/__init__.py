"""Words for people: vocabulary, sentences and formats. No queries, no HTML."""
