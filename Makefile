# Zoetrope. A newcomer needs two commands: `make run` and `make test`. GNU make 3.81 is enough.
#
#   make setup   .venv with the `zoetrope` command and the development tools
#   make run     starts Zoetrope on its embedded defaults and prints the address to open
#   make test    runs the whole suite            (make test ARGS="-k queue" runs a part)
#   make check   formatting, lint, types, import rules, the example configuration
#   make bench   measures, one JSON object a line (make bench ARGS=queue runs a part)
#   make clean   removes everything the other commands made, except your data
#
# PYTHON=/path/to/python3.12 chooses the interpreter of the first setup.

VENV = .venv
BIN = $(VENV)/bin
ARGS =

.PHONY: setup run test check bench clean

# The script decides by content whether there is anything to do; nothing to do takes a fraction of a second.
setup:
	@sh scripts/setup.sh $(VENV)

run: setup
	@$(BIN)/zoetrope play $(ARGS)

# Three at a time, on two cores as well: some of what is tested is waiting. Each may start a bot, a generator and a browser.
test: setup
	@$(BIN)/python -m pytest --numprocesses 3 --dist worksteal $(ARGS)

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --cache-dir .import_linter_cache
	$(BIN)/zoetrope config check --config config.example.toml

bench: setup
	@$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find bot db generator tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
