import Foundation
import Platform
import Storages
import StoragesHTTP

/// Credentials that a program prints, as `credential_process` of a profile names it.
///
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html>
///
/// The program is started without a shell, in a process group of its own, with none of this process's files but an
/// empty input. What it writes to its error output is not kept: it may hold secrets.
struct ProcessCredentialProvider: S3CredentialProvider, SecretHolding {
    /// The program and its arguments, which may be secret, on one line.
    let command: String
    let environment: EnvironmentVariables
    /// The most time the program may take.
    var timeout: Duration = .seconds(30)

    func credentials() async throws -> S3Credentials? {
        let words = try ShellWords.split(command)
        guard let program = words.first, !program.isEmpty else {
            throw StorageError(.invalidConfiguration, "credential_process names no program; write its whole path.")
        }
        let source = "the program \(StorageError.quoted(program)) of credential_process"
        var output: ChildProcess.Output
        do {
            output = try await ChildProcess.run(
                words,
                environment: environment.all,
                outputLimit: 64 << 10,
                timeout: timeout
            )
        } catch let failure as ChildProcess.Failure {
            throw error(failure, source)
        }
        defer { output.bytes.wipe() }
        guard output.ending == .exited(0) else {
            throw StorageError(
                .unavailable,
                "No credentials from \(source): it \(output.ending.description). Run it by hand to see what it says."
            )
        }
        let document = try CredentialDocument.read(wiping: &output.bytes, from: source)
        guard document.version == 1 else {
            throw StorageError(
                .unavailable,
                "The output of \(source) does not have \"Version\": 1, which is the only one known."
            )
        }
        return try document.credentials(from: source)
    }

    private func error(_ failure: ChildProcess.Failure, _ source: String) -> StorageError {
        switch failure {
        case .notStarted(let errno):
            notStarted(SystemCallFailure(errno: errno), source)
        case .system(let operation, let errno):
            StorageError(errno: errno, "\(operation) for \(source)")
        case .timedOut:
            StorageError(.unavailable, "No credentials from \(source): it took more than \(timeout) and was killed.")
        case .tooMuchOutput(let limit):
            StorageError(.unavailable, "No credentials from \(source): it printed more than \(limit) bytes.")
        }
    }

    private func notStarted(_ cause: SystemCallFailure, _ source: String) -> StorageError {
        // The system was short of something, or the program was just being replaced.
        if StorageError(errno: cause.errno, "start a program").code == .unavailable {
            return StorageError(.unavailable, "Cannot start \(source) now: \(cause.description).", underlying: cause)
        }
        return StorageError(
            .invalidConfiguration,
            "Cannot start \(source): \(cause.description). Write its whole path, and look at its permissions.",
            underlying: cause
        )
    }
}

extension ChildProcess.Output: SecretHolding {}
