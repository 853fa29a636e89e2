-- Linear algebra: LAPACK's direct methods on one matrix.
local MATRIX <const> = { "t", "matrix", "(m, n)" }
local SQUARE <const> = { "t", "square", "(n, n)" }
local NAN <const> = "raises for a matrix with NaN or infinities, and says where"

return {
  name = "linalg",
  title = "Linear algebra",
  text = [[
    LAPACK's direct methods on one matrix, in float64, on a worker thread:
    Ctrl-C leaves them at once. Matrices of any strides and of files are
    taken as they are. For many matrices at a time see weft.spectra and
    weft.measure.]],
  {
    name = "weft.svd", also = { "weft.core.svd" },
    summary = "Singular value decomposition: t = U diag(S) V^T.",
    params = { MATRIX },
    returns = { { "U", "tensor", "f64, (m, k), k = min(m, n)" },
      { "S", "tensor", "f64, (k), falling" },
      { "V", "tensor", "f64, (n, k)" } },
    errors = NAN, source = "dgesdd, dgesvd where it does not converge",
    example = [[
      local t = weft.randn(1, 5, 3)
      local U, S, V = weft.svd(t)
      print((U * S):matmul(V:t()):allclose(t))  --> true
    ]],
    see = { "weft.svdvals", "kernel:svd" },
  },
  {
    name = "weft.svdvals", also = { "weft.core.svdvals" },
    summary = "Singular values of a matrix, falling.",
    params = { MATRIX, { "options?", "table" },
      { "options.method?", "text", "\"direct\" (left out) or \"gram\"" } },
    returns = { { "s", "tensor", "f64, (min(m, n))" } },
    errors = NAN, source = "dgesdd; gram: symmetric eigenvalues of the Gram "
      .. "matrix, its low end done again",
    example = [[
      local s = weft.svdvals(weft.tensor { { 3, 0 }, { 0, 4 } })
      print(s[1], s[2])  --> 4.0  3.0
    ]],
    see = { "weft.svd", "weft.spectra" },
  },
  {
    name = "weft.eigvals", also = { "weft.core.eigvals" },
    summary = "Eigenvalues of a square matrix, by falling magnitude.",
    params = { SQUARE },
    returns = {
      { "re", "tensor", "f64, (n)" },
      { "im", "tensor", "f64, (n)" },
    },
    errors = NAN, source = "dgeev, dhseqr",
    example = [[
      local re, im = weft.eigvals(weft.tensor { { 0, -2 }, { 2, 0 } })
      print(re[1], im[1], im[2])  --> 0.0  2.0  -2.0
    ]],
    see = { "weft.eigvalsh" },
  },
  {
    name = "weft.eigvalsh", also = { "weft.core.eigvalsh" },
    summary = "Eigenvalues of a symmetric matrix, rising; its lower triangle "
      .. "is read.",
    params = { SQUARE }, returns = { { "w", "tensor", "f64, (n)" } },
    errors = NAN, source = "dsyevd; numpy.linalg.eigvalsh",
    example = [[
      local w = weft.eigvalsh(weft.tensor { { 2, 0 }, { 0, 1 } })
      print(w[1], w[2])  --> 1.0  2.0
    ]],
    see = { "weft.eigh" },
  },
  {
    name = "weft.eigh", also = { "weft.core.eigh" },
    summary = "Eigenvalues and vectors of a symmetric matrix: "
      .. "t = V diag(w) V^T.",
    params = { SQUARE },
    returns = { { "w", "tensor", "f64, (n), rising" },
      { "V", "tensor", "f64, (n, n), a column a vector" } },
    errors = NAN, source = "dsyevd; numpy.linalg.eigh",
    example = [[
      local t = weft.tensor { { 2, 1 }, { 1, 2 } }
      local w, V = weft.eigh(t)
      print((V * w):matmul(V:t()):allclose(t))  --> true
    ]],
    see = { "weft.eigvalsh" },
  },
  {
    name = "weft.qr", also = { "weft.core.qr" },
    summary = "Thin QR decomposition: t = Q R.",
    params = { MATRIX },
    returns = { { "Q", "tensor", "f64, (m, k), k = min(m, n)" },
      { "R", "tensor", "f64, (k, n), upper triangle" } },
    errors = NAN, source = "dgeqrf, dorgqr; numpy.linalg.qr",
    example = [[
      local t = weft.randn(2, 4, 3)
      local Q, R = weft.qr(t)
      print(Q:matmul(R):allclose(t), R:get(2, 1))  --> true  0.0
    ]],
    see = { "weft.lstsq" },
  },
  {
    name = "weft.solve", also = { "weft.core.solve" },
    summary = "Solves A x = b.",
    params = {
      { "A", "square", "(n, n)" },
      { "b", "tensor", "(n) or (n, r)" },
    },
    returns = { { "x", "tensor", "f64, shaped as b" } },
    errors = "raises for a singular matrix, and for NaN or infinities",
    source = "dgesv; numpy.linalg.solve",
    example = [[
      local A = weft.tensor { { 2, 0 }, { 0, 4 } }
      local x = weft.solve(A, weft.tensor { 2, 2 })
      print(x[1], x[2])  --> 1.0  0.5
    ]],
    see = { "weft.lstsq" },
  },
  {
    name = "weft.lstsq", also = { "weft.core.lstsq" },
    summary = "The shortest x with least |A x - b|.",
    params = {
      { "A", "matrix", "(m, n)" },
      { "b", "tensor", "(m) or (m, r)" },
    },
    returns = { { "x", "tensor", "f64, (n) or (n, r)" },
      { "rank", "integer", "singular values over max(m, n) 2^-52 the largest" },
      { "s", "tensor", "f64, (min(m, n)), singular values" } },
    errors = NAN, source = "dgelsd; numpy.linalg.lstsq",
    example = [[
      local A = weft.tensor { { 1, 0 }, { 1, 1 }, { 1, 2 } }
      local x, rank = weft.lstsq(A, weft.tensor { 1, 3, 5 })
      print(("%.6f %.6f"):format(x[1], x[2]), rank)  --> 1.000000 2.000000  2
    ]],
    see = { "weft.solve" },
  },
  {
    name = "weft.matrix_rank", also = { "weft.core.matrix_rank" },
    summary = "How many singular values are over a tolerance.",
    params = { MATRIX, { "tolerance?", "number",
      "max(m, n) 2^-52 the largest where left out" } },
    returns = { { "rank", "integer" } },
    errors = NAN, source = "numpy.linalg.matrix_rank",
    example = [[
      print(weft.matrix_rank(weft.ones(3, 3)))  --> 1
    ]],
    see = { "weft.svdvals", "weft.rank" },
  },
  {
    name = "weft.norm", also = { "weft.core.norm" },
    summary = "A norm of a vector or a matrix; without p the root of the sum "
      .. "of squares.",
    params = { { "t", "tensor", "(n) or (m, n)" }, { "p?", "number|text",
      "vector: 1, 2, math.huge; matrix: \"fro\", \"nuc\", ±1, ±2, "
      .. "±math.huge" } },
    returns = { { "x", "number" } },
    errors = NAN, source = "numpy.linalg.norm",
    example = [[
      print(weft.norm(weft.tensor { 3, 4 }), weft.norm(weft.ones(2, 3), 1))
      --> 5.0  2.0
    ]],
    see = { "tensor:norm" },
  },
  {
    name = "weft.cond", also = { "weft.core.cond" },
    summary = "Largest over smallest singular value; infinite for a singular "
      .. "matrix.",
    params = { MATRIX }, returns = { { "x", "number" } },
    errors = NAN, source = "numpy.linalg.cond",
    example = [[
      print(weft.cond(weft.tensor { { 4, 0 }, { 0, 2 } }))  --> 2.0
    ]],
    see = { "weft.svdvals", "weft.condition" },
  },
  {
    name = "weft.trace", also = { "weft.core.trace" },
    summary = "Sum of the diagonal.",
    params = { MATRIX }, returns = { { "x", "number" } },
    source = "numpy.trace",
    example = [[
      print(weft.trace(weft.eye(4)))  --> 4.0
    ]],
  },
}
