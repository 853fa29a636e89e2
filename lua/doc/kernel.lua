-- Kernels of heads: products that are kept as their factors.
return {
  name = "kernel",
  title = "Kernels",
  text = [[
    A kernel is a product A^T B of two (k, d) factors that is never formed.
    model:qk and model:ov make those of attention heads, weft.kernel any.
    What it computes is exact to rounding: the d - k zeros that the factors'
    shape forces are left out of its values.]],
  class = "kernel",
  fields = {
    { "shape", "integers", "{d, d}" },
    { "rows", "integer", "k: rows of each factor" },
  },
  {
    name = "weft.kernel", also = { "weft.core.kernel" },
    summary = "The kernel A^T B of two factors.",
    params = {
      { "A", "tensor|table", "(k, d), or a list of blocks stacked by rows, "
        .. "each a tensor or two, {X, Y}, for X Y" },
      { "B", "tensor|table", "the same" },
    },
    returns = { { "k", "kernel", "(d, d)" } },
    example = [[
      local k = weft.kernel(weft.tensor { { 1, 0, 0 } },
        weft.tensor { { 0, 2, 0 } })
      print(k, k:norm())  --> kernel [3, 3] of 1 rows  2.0
    ]],
    see = { "model:qk", "kernel:svdvals" },
  },
  {
    name = "kernel:svdvals",
    summary = "The k singular values that the factors' shape allows, falling.",
    returns = { { "s", "tensor", "f64, (k)" } },
    source = "QR of both factors (dgeqrt), SVD of R_A R_B^T (dgesdd)",
    example = [[
      local k = weft.kernel(weft.tensor { { 3, 0 } }, weft.tensor { { 0, 2 } })
      print(#k:svdvals(), math.abs(k:svdvals()[1] - 6) < 1e-14)  --> 1  true
    ]],
    see = { "kernel:eigvals", "kernel:svd" },
  },
  {
    name = "kernel:eigvals",
    summary = "The k eigenvalues that the factors' shape allows, by falling "
      .. "magnitude.",
    returns = {
      { "re", "tensor", "f64, (k)" },
      { "im", "tensor", "f64, (k)" },
    },
    source = "of B A^T (dgehrd, dhseqr)",
    example = [[
      local re, im = weft.kernel(weft.tensor { { 3, 0 } },
        weft.tensor { { 2, 0 } }):eigvals()
      print(re[1], im[1])  --> 6.0  0.0
    ]],
    see = { "kernel:svdvals", "kernel:dense_eigvals" },
  },
  {
    name = "kernel:svd",
    summary = "The first singular triples: M = U diag(S) V^T.",
    params = { { "count?", "integer", "0 to k; all k where left out" } },
    returns = { { "U", "tensor", "f64, (d, count)" },
      { "S", "tensor", "f64, (count), falling" },
      { "V", "tensor", "f64, (d, count)" } },
    source = "QR of both factors, SVD of R_A R_B^T (dgesdd)",
    example = [[
      local k = weft.kernel(weft.randn(1, 2, 5), weft.randn(2, 2, 5))
      local U, S, V = k:svd()
      print((U * S):matmul(V:t()):allclose(k:dense()))  --> true
    ]],
    see = { "kernel:svdvals", "weft.svd" },
  },
  {
    name = "kernel:rank",
    summary = "Singular values over d 2^-52 the largest.",
    returns = { { "rank", "integer" } },
    source = "numpy.linalg.matrix_rank",
    example = [[
      local a = weft.tensor { { 1, 0, 0 }, { 2, 0, 0 } }
      print(weft.kernel(a, a):rank())  --> 1
    ]],
    see = { "kernel:effective_rank", "weft.matrix_rank" },
  },
  {
    name = "kernel:effective_rank",
    summary = "exp of the entropy of the singular values over their sum.",
    returns = { { "x", "number" } },
    source = "Roy and Vetterli 2007",
    example = [[
      local a = weft.eye(3, 5)
      print(math.abs(weft.kernel(a, a):effective_rank() - 3) < 1e-14)  --> true
    ]],
    see = { "weft.effective_rank", "kernel:rank" },
  },
  {
    name = "kernel:stable_rank",
    summary = "Squared Frobenius norm over squared spectral norm.",
    returns = { { "x", "number" } },
    source = "Rudelson and Vershynin 2007",
    example = [[
      local a = weft.eye(3, 5)
      print(math.abs(weft.kernel(a, a):stable_rank() - 3) < 1e-14)  --> true
    ]],
    see = { "weft.stable_rank" },
  },
  {
    name = "kernel:norm",
    summary = "Frobenius norm.",
    returns = { { "x", "number" } },
    example = [[
      local a = weft.tensor { { 3, 0 } }
      print(weft.kernel(a, weft.tensor { { 2, 0 } }):norm())  --> 6.0
    ]],
    see = { "kernel:asymmetry" },
  },
  {
    name = "kernel:symmetry",
    summary = "tr(M M) / |M|^2: 1 for a symmetric kernel, -1 for an "
      .. "antisymmetric one, 0 without structure.",
    returns = { { "x", "number", "from -1 to 1" } },
    example = [[
      local a = weft.tensor { { 1, 2 } }
      print(math.abs(weft.kernel(a, a):symmetry() - 1) < 1e-15)  --> true
    ]],
    see = { "kernel:asymmetry" },
  },
  {
    name = "kernel:asymmetry",
    summary = "|M - M^T| / |M|: 0 for a symmetric kernel, 2 for an "
      .. "antisymmetric one, sqrt 2 without structure.",
    returns = { { "x", "number", "from 0 to 2" } },
    example = [[
      local k = weft.kernel(weft.tensor { { 1, 0 } }, weft.tensor { { 0, 1 } })
      print(("%.6f"):format(k:asymmetry()))  --> 1.414214
    ]],
    see = { "kernel:symmetry" },
  },
  {
    name = "kernel:dense",
    summary = "The product A^T B itself: for checking.",
    returns = { { "t", "tensor", "f64, (d, d)" } },
    example = [[
      local k = weft.kernel(weft.tensor { { 1, 0 } }, weft.tensor { { 0, 1 } })
      print(k:dense():get(1, 2))  --> 1.0
    ]],
    see = { "kernel:dense_eigvals" },
  },
  {
    name = "kernel:dense_eigvals",
    summary = "All d eigenvalues by the general solver on the formed product: "
      .. "for checking.",
    returns = {
      { "re", "tensor", "f64, (d)" },
      { "im", "tensor", "f64, (d)" },
    },
    source = "dgeev",
    example = [[
      local a = weft.tensor { { 1, 0, 0 } }
      print(#weft.kernel(a, a):dense_eigvals())  --> 3
    ]],
    see = { "kernel:eigvals" },
  },
  {
    name = "kernel:close",
    summary = "Lets go of the factors.",
    example = [[
      local a = weft.tensor { { 1, 2 } }
      local k <close> = weft.kernel(a, a)
      k:close()
      print(k)  --> kernel (closed)
    ]],
  },
}
