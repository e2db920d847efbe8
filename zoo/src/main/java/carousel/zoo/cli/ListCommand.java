package carousel.zoo.cli;

import carousel.zoo.Systems;
import carousel.zoo.system.Aligned;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Lists the systems. */
@Command(
    name = "list",
    mixinStandardHelpOptions = true,
    header = "Lists the systems of the zoo: name, what it does, whose it is.")
final class ListCommand implements Runnable {
  @Spec private @Nullable CommandSpec spec;

  @Override
  public void run() {
    var out = Objects.requireNonNull(spec).commandLine().getOut();
    var rows = new ArrayList<List<String>>();
    for (var system : Systems.all()) {
      var about = system.about();
      rows.add(List.of(about.name(), about.line(), about.source()));
    }
    Aligned.rows(rows).forEach(out::println);
    out.println();
    out.println("run one with  ./carousel run NAME, and see  ./carousel run NAME --help");
  }
}
