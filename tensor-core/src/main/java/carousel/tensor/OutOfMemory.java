package carousel.tensor;

import carousel.tensor.spi.Memory;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** What is said when the memory of a device is out: who holds it, and what to do. */
final class OutOfMemory {
  private static final int LARGEST_SHOWN = 5;

  /** Of scopes from either end; a leak may have opened thousands. */
  private static final int SCOPES_SHOWN = 10;

  private OutOfMemory() {}

  /** The message; the ledgers are those of the thread's open scopes, innermost first. */
  static String text(Device device, long bytes, String op, Shape shape, List<Ledger> ledgers) {
    Memory memory = device.backend().memory();
    var text =
        new StringBuilder(
            String.format(
                Locale.ROOT,
                "%s %s: out of memory on %s: %,d bytes wanted, %,d in use, cap %,d",
                op,
                shape,
                device.name(),
                bytes,
                memory.inUse(),
                memory.limit()));
    text.append("\nopen scopes, innermost first:");
    List<Storage> all = new ArrayList<>();
    int outermost = ledgers.size() - SCOPES_SHOWN;
    for (int i = 0; i < ledgers.size(); i++) {
      if (i < SCOPES_SHOWN || i >= outermost) {
        text.append(line(ledgers.get(i)));
      } else if (i == SCOPES_SHOWN) {
        text.append(between(ledgers.subList(SCOPES_SHOWN, outermost)));
      }
      all.addAll(ledgers.get(i).storages());
    }
    for (Ledger shared : SharedScope.ledgers()) {
      synchronized (shared) {
        text.append(line(shared));
        all.addAll(shared.storages());
      }
    }
    text.append("\nlargest holders:");
    all.sort(Comparator.comparingLong(Storage::bytes).reversed());
    for (Storage s : all.subList(0, Math.min(LARGEST_SHOWN, all.size()))) {
      text.append(String.format(Locale.ROOT, "\n  %,15d bytes  %s", s.bytes(), s.origin()));
    }
    return text.append(
            "\nclose scopes sooner, use smaller batches or fewer steps, or raise the cap"
                + " (-Dcarousel.memory=, e.g. 8g)")
        .toString();
  }

  private static String between(List<Ledger> ledgers) {
    return String.format(
        Locale.ROOT,
        "\n  %,15d bytes in %,d tensors, %,d scopes between",
        ledgers.stream().mapToLong(Ledger::bytes).sum(),
        ledgers.stream().mapToLong(Ledger::count).sum(),
        ledgers.size());
  }

  private static String line(Ledger ledger) {
    return String.format(
        Locale.ROOT,
        "\n  %,15d bytes in %,d tensors, %s",
        ledger.bytes(),
        ledger.count(),
        ledger.describe());
  }
}
