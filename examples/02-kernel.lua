-- One head's attention kernel W_Q^T W_K: d x d, of rank d_head at most, and
-- never formed. Its spectrum, its symmetry, and what a few directions hold.
--
--   weft examples/02-kernel.lua [MODEL [LAYER [HEAD]]]
local m <const> = assert(weft.open(arg[1] or "build/demo"))
local layer <const> = math.tointeger(arg[2] or m.dims.L // 2)
local head <const> = math.tointeger(arg[3] or 0)
local k <const> = m:qk(layer, head)
print(("layer %d, head %d:"):format(layer, head), k)

-- Singular values fall; a rank that is no whole number says how many of them
-- there are in effect.
local s <const> = k:svdvals()
print(("rank %d, effective rank %.2f"):format(k:rank(), weft.effective_rank(s)))
print(("norm %.4g, the largest singular value %.4g"):format(k:norm(), s[1]))

-- |M - M^T| / |M| is 0 for a symmetric kernel and sqrt 2 for one without any
-- structure. Eigenvalues come as two tensors, by falling magnitude.
local re <const>, im <const> = k:eigvals()
print(("asymmetry %.4f of %.4f"):format(k:asymmetry(), 2 ^ 0.5))
print(("the first eigenvalue %.4g %+.4gi"):format(re[1], im[1]))

-- Which share of |M|^2 the first r pairs of directions hold.
local whole <const>, share = k:norm() ^ 2, 0
for r = 1, #s do
  share = share + s[r] ^ 2 / whole
  if r & (r - 1) == 0 then
    print(("%4d directions hold %5.1f %%"):format(r, 100 * share))
  end
end
