-- RoBERTa and what keeps its tensors' names: BERT's.
return {
  name = "roberta", like = "bert",
  match = { model_type = { "roberta", "xlm-roberta", "camembert" } },
}
