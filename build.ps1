#!/usr/bin/env pwsh
<#
.SYNOPSIS
    Builds, tests and packs BoostingTicket. Each target is a thin call of dotnet.
.EXAMPLE
    ./build.ps1                 restore, build, test
.EXAMPLE
    ./build.ps1 test bench      one target after the other
#>
param(
    [Parameter(ValueFromRemainingArguments)]
    [ValidateSet('restore', 'build', 'test', 'pack', 'kernels', 'bench')]
    [string[]] $Targets = @('restore', 'build', 'test'),
    [string] $Configuration = 'Release'
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$Solution = Join-Path $PSScriptRoot 'BoostingTicket.sln'

function Invoke-DotNet {
    & dotnet @args
    if ($LASTEXITCODE -ne 0) {
        Write-Error "dotnet $($args -join ' ') failed with exit code $LASTEXITCODE."
    }
}

foreach ($target in $Targets) {
    Write-Host "== $target"
    switch ($target) {
        'restore' { Invoke-DotNet restore $Solution }
        'build' { Invoke-DotNet build $Solution -c $Configuration --no-restore }
        'test' { Invoke-DotNet test $Solution -c $Configuration --no-build }
        'pack' { Invoke-DotNet pack $Solution -c $Configuration -o (Join-Path $PSScriptRoot 'artifacts') }
        'kernels' {
            Invoke-DotNet run -c Release --project (Join-Path $PSScriptRoot 'tools' 'BoostingTicket.KernelCompiler') -- `
                --kernels (Join-Path $PSScriptRoot 'kernels')
        }
        'bench' { Invoke-DotNet run -c Release --project (Join-Path $PSScriptRoot 'benchmarks' 'BoostingTicket.Benchmarks') }
    }
}
