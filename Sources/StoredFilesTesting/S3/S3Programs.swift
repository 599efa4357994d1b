import Foundation

/// The programs of the servers, where `Scripts/s3-servers` has put them.
struct S3Programs: Sendable {
    /// The variable that names another folder than `.build/s3-servers`.
    static let variable = "STORED_FILES_S3_SERVERS"

    let python: String
    let rclone: String
    let weed: String
    let moto: String

    /// Looks where the variable says, else for `.build/s3-servers` in the given folders and all above them.
    ///
    /// - Parameters:
    ///   - environment: the environment, which wins.
    ///   - folders: where to begin; by default the working directory and that of this source file.
    /// - Throws: `TemporaryServerError.serverNotInstalled`, saying where it looked and how to install.
    static func find(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        from folders: [String] = [FileManager.default.currentDirectoryPath, sourceFolder]
    ) throws -> S3Programs {
        if let named = environment[variable], !named.isEmpty {
            if let found = S3Programs(in: named) { return found }
            throw missing(
                "\(named), which \(variable) names, holds no finished installation.",
                for: "\(variable)=\(named) "
            )
        }
        for folder in folders {
            var url = URL(fileURLWithPath: folder).standardizedFileURL
            while true {
                if let found = S3Programs(in: url.appendingPathComponent(".build/s3-servers").path) { return found }
                guard url.path != "/" else { break }
                url = url.deletingLastPathComponent().standardizedFileURL
            }
        }
        let places = folders.map { "\($0)" }.joined(separator: " and ")
        throw missing("There is no .build/s3-servers in or above \(places).", for: "")
    }

    init(python: String, rclone: String, weed: String, moto: String) {
        self.python = python
        self.rclone = rclone
        self.weed = weed
        self.moto = moto
    }

    private init?(in folder: String) {
        // Absolute: programs start in another folder.
        let folder = URL(fileURLWithPath: folder).path
        python = "\(folder)/venv/bin/python"
        rclone = "\(folder)/venv/bin/rclone"
        weed = "\(folder)/venv/bin/weed"
        // Run by Python, since its first line names the folder in which it was installed.
        moto = "\(folder)/venv/bin/moto_server"
        // Written last.
        guard FileManager.default.fileExists(atPath: "\(folder)/venv/requirements") else { return nil }
        guard [python, rclone, weed, moto].allSatisfy({ FileManager.default.isExecutableFile(atPath: $0) }) else {
            return nil
        }
    }

    private static var sourceFolder: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
    }

    private static func missing(_ what: String, for prefix: String) -> TemporaryServerError {
        TemporaryServerError(
            .serverNotInstalled,
            "\(what) Install the S3 servers for tests with \(prefix)Scripts/s3-servers in the folder of the package "
                + "stored-files (a checkout of it is in .build/checkouts/stored-files)."
        )
    }
}
