package conformance;

import ca.uhn.fhir.context.FhirContext;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import org.hl7.fhir.utilities.settings.FhirSettings;

/**
 * The command: documents in, one JSON object a line out, in the order of the documents.
 *
 * <p>Exit codes: 0 no errors found, 1 errors found, 2 the arguments or the content to load are unusable.
 */
public final class Main {

  private static final String USAGE =
      """
      usage: conformance [--load DIR|FILE|PACKAGE.tgz]... [--profile URL]... [--threads N]
                         [--any-extension] [--example-urls] [--readable] [--list FILE] [FILE...]
      Without FILE and --list, reads jobs from standard input, one JSON object a line:
        {"id": "...", "resource": {...} | "text": "..." | "file": "...", "profiles": ["..."]}
      """;

  private record Job(String id, String text, List<String> profiles, String fault) {}

  private record Result(String id, List<Reference.Message> messages) {}

  private final List<Path> loads = new ArrayList<>();
  private final List<String> profiles = new ArrayList<>();
  private final List<String> files = new ArrayList<>();
  private final Gson gson = new GsonBuilder().disableHtmlEscaping().create();
  private final PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
  private int threads = 1;
  private boolean anyExtension;
  private boolean exampleUrls;
  private boolean readable;

  public static void main(String[] arguments) throws Exception {
    Locale.setDefault(Locale.ENGLISH);
    FhirSettings.setProhibitNetworkAccess(true);
    Main main = new Main();
    try {
      main.readArguments(arguments);
    } catch (IllegalArgumentException | IOException e) {
      System.err.println("conformance: " + e.getMessage());
      System.err.print(USAGE);
      System.exit(2);
    }
    System.exit(main.run());
  }

  private void readArguments(String[] arguments) throws IOException {
    for (int i = 0; i < arguments.length; i++) {
      String argument = arguments[i];
      boolean takesValue = List.of("--load", "--profile", "--threads", "--list").contains(argument);
      if (takesValue && i + 1 == arguments.length) {
        throw new IllegalArgumentException(argument + " needs a value");
      }
      switch (argument) {
        case "--load" -> loads.add(Path.of(arguments[++i]));
        case "--profile" -> profiles.add(arguments[++i]);
        case "--threads" -> threads = Math.max(1, Math.min(2, Integer.parseInt(arguments[++i])));
        case "--list" -> Files.readAllLines(Path.of(arguments[++i])).stream().filter(f -> !f.isBlank()).forEach(files::add);
        case "--any-extension" -> anyExtension = true;
        case "--example-urls" -> exampleUrls = true;
        case "--readable" -> readable = true;
        default -> {
          if (argument.startsWith("--")) {
            throw new IllegalArgumentException("unknown option " + argument);
          }
          files.add(argument);
        }
      }
    }
  }

  private int run() throws Exception {
    FhirContext context = FhirContext.forR4();
    Content content = new Content(context);
    for (Path load : loads) {
      try {
        content.load(load);
      } catch (IOException e) {
        System.err.println("conformance: cannot load " + load + ": " + e);
        return 2;
      }
    }
    content.faults().forEach(fault -> System.err.println("conformance: not loaded: " + fault));
    Reference reference = new Reference(context, content, anyExtension, exampleUrls);
    ExecutorService workers = Executors.newFixedThreadPool(threads);
    BlockingQueue<Optional<Future<Result>>> pending = new LinkedBlockingQueue<>(64);
    Future<Boolean> writer = Executors.newSingleThreadExecutor().submit(() -> write(pending));
    if (files.isEmpty()) {
      BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        if (!line.isBlank()) {
          Job job = readJob(line);
          pending.put(Optional.of(workers.submit(() -> check(reference, job))));
        }
      }
    } else {
      for (String file : files) {
        Job job = fileJob(file, file, List.of());
        pending.put(Optional.of(workers.submit(() -> check(reference, job))));
      }
    }
    pending.put(Optional.empty());
    return writer.get() ? 1 : 0;
  }

  private Job readJob(String line) {
    try {
      JsonObject json = JsonParser.parseString(line).getAsJsonObject();
      List<String> asked = new ArrayList<>();
      if (json.has("profiles")) {
        json.getAsJsonArray("profiles").forEach(profile -> asked.add(profile.getAsString()));
      }
      String id = json.get("id").getAsString();
      if (json.has("text")) {
        return new Job(id, json.get("text").getAsString(), asked, null);
      }
      JsonElement resource = json.get("resource");
      return resource != null ? new Job(id, gson.toJson(resource), asked, null) : fileJob(id, json.get("file").getAsString(), asked);
    } catch (RuntimeException e) {
      return new Job(null, null, List.of(), "not a job: " + e);
    }
  }

  private static Job fileJob(String id, String file, List<String> asked) {
    try {
      return new Job(id, Files.readString(Path.of(file)), asked, null);
    } catch (IOException e) {
      return new Job(id, null, asked, "cannot read: " + e);
    }
  }

  private Result check(Reference reference, Job job) {
    if (job.fault != null) {
      return new Result(job.id, List.of(new Reference.Message("fatal", null, null, null, "JOB_UNUSABLE", job.fault)));
    }
    List<String> asked = new ArrayList<>(profiles);
    asked.addAll(job.profiles);
    return new Result(job.id, reference.validate(job.text, asked));
  }

  /** Writes results in the order of the jobs, each as soon as it is there; true if any has an error. */
  private boolean write(BlockingQueue<Optional<Future<Result>>> pending) throws Exception {
    boolean errors = false;
    for (Optional<Future<Result>> next = pending.take(); next.isPresent(); next = pending.take()) {
      Result result = next.get().get();
      errors |= result.messages.stream().anyMatch(m -> m.severity().equals("error") || m.severity().equals("fatal"));
      out.println(readable ? describe(result) : gson.toJson(result));
      out.flush();
    }
    return errors;
  }

  private static String describe(Result result) {
    StringBuilder text = new StringBuilder();
    long shown = 0;
    for (Reference.Message each : result.messages) {
      if (!each.severity().equals("information")) {
        shown++;
        text.append("  ").append(each.severity().toUpperCase(Locale.ROOT)).append(' ');
        text.append(each.location() == null ? "" : each.location());
        text.append(each.line() == null ? "" : " (line " + each.line() + ", column " + each.col() + ")");
        text.append("\n    ").append(each.message());
        text.append(each.messageId() == null ? "" : " [" + each.messageId() + "]").append('\n');
      }
    }
    return result.id + (shown == 0 ? ": no errors, no warnings" : ":\n" + text.toString().stripTrailing());
  }
}
