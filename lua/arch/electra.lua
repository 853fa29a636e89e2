-- ELECTRA: BERT's tensors; its embedding may be narrower.
return {
  name = "electra", like = "bert",
  match = { model_type = { "electra" } },
}
