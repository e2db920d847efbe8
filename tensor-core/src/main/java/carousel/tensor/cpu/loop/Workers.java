package carousel.tensor.cpu.loop;

import carousel.tensor.spi.Setting;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A fixed set of daemon threads that run the chunks of one job at a time; the calling thread takes
 * part.
 *
 * <p>Callers cut work into chunks by its size, never by the number of threads, so that a result does
 * not depend on how many threads there are or on which of them ran a chunk. A call from inside a
 * chunk, or while another thread's job is running, runs in the calling thread alone.
 *
 * <p>A worker without work spins for a few microseconds and then parks: recurrent networks hand out
 * thousands of small jobs in a row, but the JIT compiler needs the processor too.
 */
public final class Workers {
  private static final long SPIN_NANOS = 20_000;

  /** Made when it is first used: an error in the initializer of a class would come back as another one. */
  private static volatile @Nullable Workers shared;

  private final Thread[] threads;
  private final AtomicBoolean[] parked;
  private final AtomicBoolean busy = new AtomicBoolean();

  private volatile @Nullable Job current;

  /** Jobs announced so far; only the thread that holds {@link #busy} counts. */
  private long jobs;

  private volatile boolean closed;

  /**
   * A pool of {@code threads} threads, the caller counted.
   *
   * @throws IllegalArgumentException if {@code threads < 1}
   */
  Workers(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads: " + threads + "; at least 1 is needed");
    }
    this.threads = new Thread[threads - 1];
    this.parked = new AtomicBoolean[threads - 1];
    for (int i = 0; i < threads - 1; i++) {
      int index = i;
      parked[i] = new AtomicBoolean();
      this.threads[i] =
          Thread.ofPlatform().daemon().name("carousel-worker-" + i).unstarted(() -> work(index));
    }
    for (Thread thread : this.threads) {
      thread.start();
    }
  }

  /** The number of threads that take part in a job, the caller counted. */
  public static int threads() {
    return shared().threads.length + 1;
  }

  /**
   * Replaces the shared pool by one of {@code threads} threads, the caller counted. Results do not
   * change.
   *
   * @throws IllegalArgumentException if {@code threads < 1}
   */
  public static synchronized void threads(int threads) {
    if (threads == threads()) {
      return;
    }
    Workers old = shared();
    shared = new Workers(threads);
    old.close();
  }

  /**
   * Calls {@code body} with every index from 0 to {@code chunks - 1}, in any order and from any
   * thread of the shared pool, and returns when all calls have returned. An exception that a call
   * throws is thrown here, once those that had begun are done; the rest are skipped.
   */
  public static void parallel(int chunks, IntConsumer body) {
    shared().run(chunks, body);
  }

  void run(int chunks, IntConsumer body) {
    if (chunks <= 1 || threads.length == 0 || !busy.compareAndSet(false, true)) {
      for (int i = 0; i < chunks; i++) {
        body.accept(i);
      }
      return;
    }
    var job = new Job(jobs++, body, chunks, Thread.currentThread());
    try {
      current = job;
      wake(chunks - 1);
      job.take();
      job.await();
    } finally {
      current = null;
      busy.set(false);
    }
    if (job.failure != null) {
      Workers.<RuntimeException>rethrow(job.failure);
    }
  }

  /** Ends the threads once they are idle. The pool still serves callers, in their own thread. */
  void close() {
    closed = true;
    for (int i = 0; i < threads.length; i++) {
      LockSupport.unpark(threads[i]);
    }
  }

  private void wake(int wanted) {
    for (int i = 0; i < threads.length && wanted > 0; i++, wanted--) {
      if (parked[i].compareAndSet(true, false)) {
        LockSupport.unpark(threads[i]);
      }
    }
  }

  private void work(int index) {
    long seen = -1;
    while (!closed) {
      Job job = idle(index, seen);
      if (job != null) {
        job.take();
        seen = job.number;
      }
    }
  }

  /** Returns when a job other than {@code seen} is announced, or the pool was closed. */
  private @Nullable Job idle(int index, long seen) {
    long start = System.nanoTime();
    while (!closed) {
      for (int i = 0; i < 64; i++) {
        Job job = current;
        if (isNew(job, seen)) {
          return job;
        }
        Thread.onSpinWait();
      }
      if (System.nanoTime() - start > SPIN_NANOS) {
        parked[index].set(true);
        // Looks again after saying so: whoever announces a job looks at the flag after announcing.
        while (parked[index].get() && !closed && !isNew(current, seen)) {
          LockSupport.park(this);
        }
        parked[index].set(false);
        start = System.nanoTime();
      }
    }
    return null;
  }

  private static boolean isNew(@Nullable Job job, long seen) {
    return job != null && job.number != seen;
  }

  /** A body, and which of its chunks are taken and done. */
  private static final class Job {
    private final long number;
    private final IntConsumer body;
    private final int chunks;
    private final Thread caller;
    private final AtomicInteger taken = new AtomicInteger();
    private final AtomicInteger done = new AtomicInteger();
    private volatile boolean callerWaits;
    private volatile @Nullable Throwable failure;

    Job(long number, IntConsumer body, int chunks, Thread caller) {
      this.number = number;
      this.body = body;
      this.chunks = chunks;
      this.caller = caller;
    }

    /** Runs chunks until none is left to take. */
    void take() {
      int chunk;
      while ((chunk = taken.getAndIncrement()) < chunks) {
        if (failure == null) {
          try {
            body.accept(chunk);
          } catch (Throwable e) {
            failure = e;
          }
        }
        if (done.incrementAndGet() == chunks && callerWaits) {
          LockSupport.unpark(caller);
        }
      }
    }

    /** Waits until all chunks are done; only the caller calls this. */
    void await() {
      long start = System.nanoTime();
      while (done.get() < chunks) {
        if (System.nanoTime() - start < SPIN_NANOS) {
          Thread.onSpinWait();
        } else {
          callerWaits = true;
          if (done.get() < chunks) {
            LockSupport.park(this);
          }
        }
      }
    }
  }

  private static Workers shared() {
    Workers made = shared;
    return made != null ? made : make();
  }

  private static synchronized Workers make() {
    Workers made = shared;
    if (made == null) {
      made = new Workers(Setting.THREADS.or(Runtime.getRuntime().availableProcessors()));
      shared = made;
    }
    return made;
  }

  @SuppressWarnings("unchecked")
  private static <E extends Throwable> void rethrow(Throwable e) throws E {
    throw (E) e;
  }
}
