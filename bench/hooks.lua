-- One request of order-sign after another, each with a token of its own from a file, a line a token.
local body, tokens, at, path

function init(args)
  local function read(name)
    local file = assert(io.open(name, "rb"))
    local text = file:read("*a")
    file:close()
    return text
  end
  path, body, tokens, at = args[1], read(args[2]), {}, 0
  if args[3] then
    for line in io.lines(args[3]) do tokens[#tokens + 1] = line end
  end
end

function request()
  at = at + 1
  local headers = { ["Content-Type"] = "application/json" }
  if #tokens > 0 then headers["Authorization"] = "Bearer " .. (tokens[at] or "used-up") end
  return wrk.format("POST", path, headers, body)
end
