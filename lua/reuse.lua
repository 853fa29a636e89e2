-- What a command takes from the cache of spectra, and what it says of that.
local reuse = {}

local methods <const> = {}

--- A function that tells warn(sentence) of each sentence once.
function reuse.once(warn)
  local said <const> = {}
  return function(sentence)
    if not said[sentence] then
      said[sentence] = true
      warn(sentence)
    end
  end
end

--- A command's use of the cache: `fresh` computes all again, and keeps it;
--- warn(sentence) is told once of each thing that went wrong with it.
function reuse.new(fresh, warn)
  return setmetatable({ asked = 0, reused = 0, noun = "spectra",
    cache = fresh and "fresh" or true, note = reuse.once(warn) },
    { __index = methods })
end

--- The options of measure or core.spectra with the cache among them; their
--- `each` is called as before.
function methods:options(options)
  local each <const> = options.each
  options.cache, options.note = self.cache, self.note
  options.each = function(i, s, reason, info)
    self.asked = self.asked + (info and 1 or 0)
    self.reused = self.reused + (info and info.cached and 1 or 0)
    self.noun = info and info.half_width and "spectra and estimates"
      or self.noun
    if each then
      each(i, s, reason, info)
    end
  end
  return options
end

--- "reused 480 of 482 spectra", or nil where there was none to reuse.
function methods:sentence()
  return self.reused > 0 and ("reused %d of %d %s"):format(self.reused,
    self.asked, self.noun) or nil
end

return reuse
