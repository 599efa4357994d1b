// swift-tools-version: 6.2
import CompilerPluginSupport
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioLocks = Target.Dependency.product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let nioThreads = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let service = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

/// A product of swift-syntax, which only the macro needs.
func syntax(_ name: String) -> Target.Dependency {
    .product(name: name, package: "swift-syntax", condition: .when(traits: ["Macros"]))
}

let package = Package(
    name: "stored-files",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Storages", targets: ["Storages"]),
        .library(name: "StoragesS3", targets: ["StoragesS3"]),
        .library(name: "StoragesGzip", targets: ["StoragesGzip"]),
        .library(name: "StorageImages", targets: ["StorageImages"]),
        .library(name: "PostgresModels", targets: ["PostgresModels"]),
        .library(name: "StoredFiles", targets: ["StoredFiles"]),
        .library(name: "StoredFilesTesting", targets: ["StoredFilesTesting"]),
    ],
    traits: [
        .trait(name: "Macros", description: "@Model, at the price of building swift-syntax once"),
        .default(enabledTraits: ["Macros"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.5.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.6.0"),
        .package(url: "https://github.com/swiftlang/swift-syntax.git", "600.0.1"..<"604.0.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CLibPQ",
            pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"]), .brew(["libpq"])]
        ),
        .systemLibrary(
            name: "CLibCrypto",
            pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]
        ),
        .systemLibrary(
            name: "CLibCurl",
            pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev"]), .brew(["curl"])]
        ),
        // Of a product of its own: who does not compress does not link it.
        .systemLibrary(
            name: "CLibZ",
            pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]
        ),
        // System calls only: shims without a library.
        .systemLibrary(name: "CLinuxFiles"),
        .systemLibrary(name: "CLinuxEvents"),
        // No pkgConfig: gdlib.pc carries a -D flag that SwiftPM refuses with a warning.
        .systemLibrary(name: "CLibGD", providers: [.apt(["libgd-dev"]), .brew(["gd"])]),
        // Under all others: the C library of the platform, and what each would write again.
        .target(name: "Platform", dependencies: ["CLinuxEvents", nio, nioLocks], swiftSettings: settings),
        .target(
            name: "Storages",
            dependencies: ["Platform", "CLibCrypto", "CLinuxFiles", nio, nioLocks, nioThreads],
            swiftSettings: settings
        ),
        // What storages behind HTTP share: requests, retries, credentials. No product of its own.
        .target(
            name: "StoragesHTTP",
            dependencies: ["Platform", "Storages", "CLibCurl", nio, nioLocks, nioThreads, logging],
            swiftSettings: settings
        ),
        .target(
            name: "StoragesS3",
            dependencies: ["Platform", "Storages", "StoragesHTTP", nio, nioLocks, nioThreads, logging],
            swiftSettings: settings
        ),
        .target(
            name: "StoragesGzip",
            dependencies: ["Storages", "CLibZ", nio],
            swiftSettings: settings
        ),
        .target(
            name: "StorageImages",
            dependencies: ["Platform", "Storages", "CLibGD", nio, nioLocks, nioThreads],
            swiftSettings: settings
        ),
        .target(
            name: "PostgresModels",
            dependencies: [
                "Platform", "CLibPQ", nio, nioLocks, nioThreads, logging,
                .target(name: "StoredFilesMacros", condition: .when(traits: ["Macros"])),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "StoredFiles",
            dependencies: [
                "Platform", "Storages", "StorageImages", "PostgresModels", nio, nioLocks, logging, metrics, service,
            ],
            swiftSettings: settings
        ),
        .macro(
            name: "StoredFilesMacros",
            dependencies: [
                syntax("SwiftSyntax"), syntax("SwiftSyntaxBuilder"), syntax("SwiftSyntaxMacros"), syntax("SwiftParser"),
                syntax("SwiftDiagnostics"), syntax("SwiftCompilerPlugin"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "StoredFilesTesting",
            dependencies: [
                "Platform", "StoredFiles", "Storages", "StorageImages", "PostgresModels", nio, nioLocks, nioThreads,
            ],
            resources: [.embedInCode("S3/Programs")],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "Quickstart",
            dependencies: ["StoredFiles", "StoragesS3", "StoredFilesTesting"],
            path: "Examples/Quickstart",
            swiftSettings: settings
        ),
        // Runs in processes of its own, into which a library is loaded that makes system calls fail, or as another
        // user.
        .executableTarget(
            name: "FileSystemWorker",
            dependencies: ["Storages", nio],
            path: "Tests/FileSystemWorker",
            swiftSettings: settings
        ),
        .testTarget(
            name: "PlatformTests",
            dependencies: ["TestSupport", "Platform", nioLocks],
            swiftSettings: settings
        ),
        .testTarget(
            name: "StoragesTests",
            dependencies: [
                "TestSupport", "Storages", "StoredFilesTesting", "FileSystemWorker", nio, nioLocks, nioThreads,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "StoragesS3Tests",
            dependencies: [
                "TestSupport", "Platform", "StoragesHTTP", "StoragesS3", "StoragesGzip", "Storages",
                "StoredFilesTesting", nio, nioLocks, nioThreads, logging,
            ],
            resources: [.embedInCode("Proxy/tls_idle_closer.py")],
            swiftSettings: settings
        ),
        .testTarget(
            name: "StoragesGzipTests",
            dependencies: ["StoragesGzip", "Storages", "StoredFilesTesting", nio],
            swiftSettings: settings
        ),
        .testTarget(
            name: "StorageImagesTests",
            dependencies: ["TestSupport", "StorageImages", "Storages", "StoredFilesTesting", nio],
            swiftSettings: settings
        ),
        // Runs in a process of its own, because a library that is loaded into it makes closing slow.
        .executableTarget(
            name: "ReconnectStorm",
            dependencies: ["PostgresModels", logging],
            path: "Tests/ReconnectStorm",
            swiftSettings: settings
        ),
        .testTarget(
            name: "PostgresModelsTests",
            dependencies: ["TestSupport", "Platform", "PostgresModels", "StoredFilesTesting", "ReconnectStorm", nio],
            swiftSettings: settings
        ),
        // What the tests of several targets share, and no application needs.
        .target(
            name: "TestSupport",
            dependencies: ["Storages", "PostgresModels", nioLocks],
            path: "Tests/TestSupport",
            swiftSettings: settings
        ),
        // The models and files that the worker, and the tests that kill it, share. A library, because SwiftPM may
        // compile tests before the module of an executable that they import is there.
        .target(
            name: "LifecycleTestSupport",
            dependencies: ["StoredFiles", "StoragesS3", nio],
            path: "Tests/LifecycleTestSupport",
            swiftSettings: settings
        ),
        // Runs in processes of its own, which the tests kill.
        .executableTarget(
            name: "LifecycleWorker",
            dependencies: ["LifecycleTestSupport", "StoredFiles", nio, nioLocks],
            path: "Tests/LifecycleWorker",
            swiftSettings: settings
        ),
        // Runs in many processes of its own, which it kills, with a server that it restarts.
        .executableTarget(
            name: "LifecycleChaos",
            dependencies: [
                "LifecycleTestSupport", "StoredFiles", "StoredFilesTesting", nio, nioLocks, logging, service,
            ],
            path: "Tests/LifecycleChaos",
            swiftSettings: settings
        ),
        .testTarget(
            name: "StoredFilesTests",
            dependencies: [
                "Platform", "StoredFiles", "StoragesS3", "StoredFilesTesting", "LifecycleTestSupport",
                "LifecycleWorker",
                "LifecycleChaos", "TestSupport", nio, nioLocks, service,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "StoredFilesMacrosTests",
            dependencies: [
                "StoredFilesMacros", syntax("SwiftSyntax"), syntax("SwiftSyntaxBuilder"), syntax("SwiftDiagnostics"),
                syntax("SwiftSyntaxMacroExpansion"), syntax("SwiftSyntaxMacrosGenericTestSupport"),
            ],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
