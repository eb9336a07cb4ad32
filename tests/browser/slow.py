"""A slow network and a slow machine, which bring out what only goes well in time.

``pytest tests/browser --slow SEED``: what a page asks the server or a worker is answered up to
300 ms late, each answer on its own, so that one may overtake another; live events come late, in
their order; and the page's processor is four times slower. A seed gives the same pauses again,
though never the same run: the machine has its own part in it.
"""

from zlib import crc32

from playwright.sync_api import BrowserContext, Page

__all__ = ["slow_down"]

LATEST_MS = 300
TIMES_SLOWER = 4

_SLOW = """{
  let state = SEED;
  for (const letter of location.href) state = Math.imul(state ^ letter.codePointAt(0), 0x01000193);
  const pause = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return new Promise((done) => setTimeout(done, ((state >>> 8) / 2 ** 24) * LATEST_MS));
  };

  const { fetch } = window;
  window.fetch = async (...asked) => {
    await pause();
    const answer = await fetch(...asked);
    await pause();
    return answer;
  };

  const late = (Source, end) =>
    class extends Source {
      #ended = false;
      #last = Promise.resolve();

      [end]() {
        this.#ended = true;
        super[end]();
      }

      addEventListener(name, listener, options) {
        const deliver = (event) => {
          const due = pause();
          const tell = () => this.#ended || listener.call(this, event);
          this.#last = this.#last.then(() => due).then(tell);
        };
        super.addEventListener(name, deliver, options);
      }

      set onmessage(listener) {
        this.addEventListener("message", listener);
      }

      set onerror(listener) {
        this.addEventListener("error", listener);
      }
    };
  window.EventSource = late(EventSource, "close");
  window.Worker = late(Worker, "terminate");
}"""


def slow_down(context: BrowserContext, seed: str) -> None:
    """Make every page of this context slow, each seed in its own way."""
    script = _SLOW.replace("SEED", str(crc32(seed.encode()))).replace("LATEST_MS", str(LATEST_MS))
    context.add_init_script(script)
    context.on("page", _throttle)


def _throttle(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": TIMES_SLOWER})
