package carousel.house;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget.CodeUnitAccessTarget;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What the modules' code may know of one another and of the world, and how it is named. */
class ArchitectureTest {
  private static final int LONGEST = 450;

  private static final int MOST_VALUES = 3;

  /** The operands of a sum in an exception, each in lines of its own, as they are formatted. */
  private static final Pattern MESSAGE =
      Pattern.compile("(?:Exception|Error)\\(\n( +[^\n]+\n(?: +\\+ [^\n]+\n)+)");

  /** A line of such a sum that begins with words. */
  private static final Pattern TEXT = Pattern.compile("^ +(?:\\+ )?\"");

  /**
   * Each package is a slice of its own, but for the three that hold one idea: a tensor names the rows
   * of its operations, and the rules of a row are written in tensors.
   */
  private static final SliceAssignment PACKAGES =
      new SliceAssignment() {
        // A scan holds the trace of its step, which is a graph of ops.
        private static final Set<String> ONE_IDEA =
            Set.of(
                "carousel.tensor",
                "carousel.tensor.op",
                "carousel.tensor.spi",
                "carousel.tensor.trace");

        @Override
        public SliceIdentifier getIdentifierOf(JavaClass type) {
          var name = type.getPackageName();
          return SliceIdentifier.of(ONE_IDEA.contains(name) ? "carousel.tensor" : name);
        }

        @Override
        public String getDescription() {
          return "packages";
        }
      };

  /** The rooms of the zoo that hold systems: all but those of the frame. */
  private static final SliceAssignment FAMILIES =
      new SliceAssignment() {
        @Override
        public SliceIdentifier getIdentifierOf(JavaClass type) {
          return isOfAFamily(type)
              ? SliceIdentifier.of(type.getPackageName().split("\\.")[2])
              : SliceIdentifier.ignore();
        }

        @Override
        public String getDescription() {
          return "families";
        }
      };

  private static final Set<String> FRAME = Set.of("cli", "data", "draw", "plot", "run", "system");

  private static boolean isOfAFamily(JavaClass type) {
    var rooms = type.getPackageName().split("\\.");
    return type.getPackageName().startsWith("carousel.zoo.") && !FRAME.contains(rooms[2]);
  }

  private static final DescribedPredicate<JavaClass> OF_A_FAMILY =
      DescribedPredicate.describe("are of a family", ArchitectureTest::isOfAFamily);

  private static final Map<String, ArchRule> RULES =
      Map.ofEntries(
          Map.entry(
              "tensor-core has no tape, and knows nothing above it",
              noClasses()
                  .that()
                  .resideInAPackage("carousel.tensor..")
                  .should()
                  .dependOnClassesThat()
                  .resideInAnyPackage(
                      "carousel.jmh..",
                      "carousel.autograd..",
                      "carousel.nn..",
                      "carousel.exchange..",
                      "carousel.testing..",
                      "carousel.zoo..",
                      "carousel.cuda..",
                      "carousel.benchmarks..")),
          Map.entry(
              "autograd knows nothing above it",
              noClasses()
                  .that()
                  .resideInAPackage("carousel.autograd..")
                  .should()
                  .dependOnClassesThat()
                  .resideInAnyPackage(
                      "carousel.nn..",
                      "carousel.exchange..",
                      "carousel.testing..",
                      "carousel.zoo..",
                      "carousel.benchmarks..")),
          Map.entry(
              "nn knows nothing above it",
              noClasses()
                  .that()
                  .resideInAPackage("carousel.nn..")
                  .should()
                  .dependOnClassesThat()
                  .resideInAnyPackage(
                      "carousel.exchange..",
                      "carousel.testing..",
                      "carousel.zoo..",
                      "carousel.benchmarks..")),
          Map.entry(
              "nothing needs JUnit but what tests are written with",
              noClasses()
                  .that()
                  .resideOutsideOfPackage("carousel.testing..")
                  .should()
                  .dependOnClassesThat()
                  .resideInAnyPackage("org.junit..", "carousel.testing..")),
          Map.entry(
              "nothing compiles against carousel.cuda: services find it",
              noClasses()
                  .that()
                  .resideOutsideOfPackage("carousel.cuda..")
                  .should()
                  .dependOnClassesThat()
                  .resideInAPackage("carousel.cuda..")),
          Map.entry(
              "the CPU backend is known only inside tensor-core",
              noClasses()
                  .that()
                  .resideOutsideOfPackage("carousel.tensor..")
                  .should()
                  .dependOnClassesThat()
                  .resideInAPackage("carousel.tensor.cpu..")),
          Map.entry(
              "the Vector API is used only in the CPU backend",
              noClasses()
                  .that()
                  .resideOutsideOfPackage("carousel.tensor.cpu..")
                  .should()
                  .dependOnClassesThat()
                  .resideInAPackage("jdk.incubator.vector..")),
          Map.entry(
              "JCuda is used only in carousel.cuda",
              noClasses()
                  .that()
                  .resideOutsideOfPackage("carousel.cuda..")
                  .should()
                  .dependOnClassesThat()
                  .resideInAnyPackage("jcuda..", "org.jcuda..")),
          Map.entry(
              "packages form no cycles", slices().assignedFrom(PACKAGES).should().beFreeOfCycles()),
          Map.entry(
              "families of systems never know each other: what two share goes to nn",
              slices().assignedFrom(FAMILIES).should().notDependOnEachOther()),
          Map.entry(
              "the frame of the zoo knows no family",
              noClasses()
                  .that()
                  .resideInAnyPackage(
                      "carousel.zoo.data..",
                      "carousel.zoo.draw..",
                      "carousel.zoo.plot..",
                      "carousel.zoo.run..",
                      "carousel.zoo.system..")
                  .should()
                  .dependOnClassesThat(OF_A_FAMILY)),
          Map.entry(
              "modules form no cycles",
              slices().matching("carousel.(*)..").should().beFreeOfCycles()),
          Map.entry(
              "a name says what a thing is, not that it is one",
              noClasses()
                  .should()
                  .haveSimpleNameEndingWith("Impl")
                  .orShould()
                  .haveSimpleNameEndingWith("Util")
                  .orShould()
                  .haveSimpleNameEndingWith("Utils")
                  .orShould()
                  .haveSimpleNameEndingWith("Manager")
                  .orShould()
                  .haveSimpleNameStartingWith("Abstract")),
          Map.entry(
              "random numbers come from the counter-based generator, so that a seed fixes them",
              noClasses()
                  .should()
                  .dependOnClassesThat()
                  .haveFullyQualifiedName("java.util.Random")
                  .orShould()
                  .dependOnClassesThat()
                  .haveFullyQualifiedName("java.util.SplittableRandom")
                  .orShould()
                  .dependOnClassesThat()
                  .haveFullyQualifiedName("java.util.concurrent.ThreadLocalRandom")
                  .orShould()
                  .dependOnClassesThat()
                  .resideInAPackage("java.util.random..")
                  .orShould()
                  .callMethod(Math.class, "random")),
          Map.entry(
              "files are read by formats that say what they hold, never by Java serialisation",
              noClasses()
                  .should()
                  .dependOnClassesThat()
                  .haveFullyQualifiedName("java.io.ObjectInputStream")
                  .orShould()
                  .dependOnClassesThat()
                  .haveFullyQualifiedName("java.io.ObjectOutputStream")
                  .orShould()
                  .dependOnClassesThat()
                  .haveFullyQualifiedName("java.io.Externalizable")),
          Map.entry(
              "segments are copied with layouts: what C2 makes of the other ways loses bytes"
                  + " (carousel.tensor.host.Bytes)",
              noClasses()
                  .should()
                  .callMethod(
                      MemorySegment.class,
                      "copy",
                      MemorySegment.class,
                      long.class,
                      MemorySegment.class,
                      long.class,
                      long.class)
                  .orShould()
                  .callMethod(MemorySegment.class, "copyFrom", MemorySegment.class)
                  .orShould()
                  .callMethodWhere(
                      target(owner(assignableTo(MemorySegment.class)))
                          .and(target(name("toArray"))))),
          Map.entry(
              "texts name their locale: in that of the machine %d writes ١ or १, and I in small letters is ı",
              classes().should(nameTheirLocale())),
          Map.entry(
              "libraries log; only programs print",
              noClasses()
                  .that()
                  .resideOutsideOfPackages("carousel.zoo..", "carousel.benchmarks..")
                  .should(ACCESS_STANDARD_STREAMS)),
          Map.entry(
              "only a program ends the JVM",
              noClasses()
                  .that()
                  .resideOutsideOfPackage("carousel.zoo..")
                  .should()
                  .callMethod(System.class, "exit", int.class)),
          Map.entry(
              "every package is null-marked", classes().should(resideInANullMarkedPackage())));

  @TestFactory
  Stream<DynamicTest> rules() {
    return RULES.entrySet().stream().map(entry -> named(entry.getKey(), entry.getValue()));
  }

  /** Of main and of tests; one that grows beyond is two, and is cut by what they are about. */
  @Test
  void aFileIsReadInOneGo() throws IOException {
    var tooLong = new ArrayList<String>();
    int count = 0;
    for (String module : House.MODULES) {
      for (Path file : House.sources(module, "src")) {
        count++;
        try (Stream<String> lines = Files.lines(file)) {
          long length = lines.count();
          if (length > LONGEST) {
            tooLong.add(House.root().relativize(file) + " has " + length + " lines");
          }
        }
      }
    }
    assertThat(count).isGreaterThan(1000);
    assertThat(tooLong)
        .as("a file is read in one go, and has %d lines at most; cut by what it is about", LONGEST)
        .isEmpty();
  }

  /** One with many values is read as a format, in which its words stand together. */
  @Test
  void aMessageOfManyValuesIsAFormat() throws IOException {
    var broken = new ArrayList<String>();
    int count = 0;
    for (String module : House.MODULES) {
      for (Path file : House.sources(module)) {
        for (MatchResult message : MESSAGE.matcher(Files.readString(file)).results().toList()) {
          count++;
          long values = message.group(1).lines().filter(line -> !TEXT.matcher(line).find()).count();
          if (values > MOST_VALUES) {
            broken.add(House.root().relativize(file) + ":" + message.group());
          }
        }
      }
    }
    assertThat(count).isGreaterThan(100);
    assertThat(broken)
        .as("messages of more than %d values; make them by String.format", MOST_VALUES)
        .isEmpty();
  }

  private static DynamicTest named(String name, ArchRule rule) {
    return DynamicTest.dynamicTest(name, () -> rule.as(name).check(House.CLASSES));
  }

  /** By calls and by references, of all that formats or changes the case and has a twin that takes a locale. */
  private static ArchCondition<JavaClass> nameTheirLocale() {
    return new ArchCondition<>("name the locale") {
      private static final Set<String> NAMES =
          Set.of("format", "formatted", "printf", "toLowerCase", "toUpperCase");
      private static final Set<String> OWNERS =
          Set.of(
              "java.lang.String", "java.io.PrintStream", "java.io.PrintWriter", "java.io.Console");

      @Override
      public void check(JavaClass type, ConditionEvents events) {
        type.getAccessesFromSelf().stream()
            .filter(access -> access.getTarget() instanceof CodeUnitAccessTarget)
            .filter(access -> isWithoutLocale((CodeUnitAccessTarget) access.getTarget()))
            .forEach(access ->
                events.add(new SimpleConditionEvent(type, false, access.getDescription())));
      }

      private static boolean isWithoutLocale(CodeUnitAccessTarget target) {
        var parameters = target.getRawParameterTypes();
        return OWNERS.contains(target.getOwner().getName())
            && NAMES.contains(target.getName())
            && (parameters.isEmpty() || !parameters.getFirst().isEquivalentTo(Locale.class));
      }
    };
  }

  private static ArchCondition<JavaClass> resideInANullMarkedPackage() {
    return new ArchCondition<>("reside in a package annotated with @NullMarked") {
      @Override
      public void check(JavaClass type, ConditionEvents events) {
        boolean marked =
            type.getPackage().isAnnotatedWith(NullMarked.class)
                || type.getPackageName().endsWith(".jmh_generated");
        events.add(
            new SimpleConditionEvent(
                type, marked, type.getPackageName() + " has no package-info with @NullMarked"));
      }
    };
  }
}
