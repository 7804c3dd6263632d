# Two images: cpu, the default, and cuda for machines with an NVIDIA GPU. docs/install.md says how to build and run them.
# For Arm processors: --build-arg RUNTIME=linux-arm64.

FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
ARG RUNTIME=linux-x64
WORKDIR /source
COPY . .
RUN dotnet publish src/BoostingTicket.Cli -c Release -r $RUNTIME --no-self-contained -o /app

# cuBLAS and cuDNN come with the image, the driver from the machine (NVIDIA's container toolkit), .NET from its own image.
FROM nvidia/cuda:12.6.3-cudnn-runtime-ubuntu24.04 AS cuda
COPY --from=mcr.microsoft.com/dotnet/runtime:10.0 /usr/share/dotnet /usr/share/dotnet
COPY --from=build /app /app
RUN useradd --create-home --uid 1654 app && mkdir /data /runs && chown app /data /runs
USER app
ENV PATH=$PATH:/usr/share/dotnet BOOSTING_TICKET_DATA=/data
VOLUME ["/data", "/runs"]
WORKDIR /runs
ENTRYPOINT ["dotnet", "/app/boosting-ticket.dll"]

# The user app, 1654, is in the image.
FROM mcr.microsoft.com/dotnet/runtime:10.0 AS cpu
COPY --from=build /app /app
RUN mkdir /data /runs && chown app /data /runs
USER app
ENV BOOSTING_TICKET_DATA=/data
VOLUME ["/data", "/runs"]
WORKDIR /runs
ENTRYPOINT ["dotnet", "/app/boosting-ticket.dll"]
